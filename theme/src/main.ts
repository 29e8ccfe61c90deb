import { startFrame } from "./frame";
import { readPage } from "./page";

startFrame(readPage());
