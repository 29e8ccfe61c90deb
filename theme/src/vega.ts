/** The lazy bundle: the parts of Vega that our specifications use, with the interpreter that needs no eval. */
import { changeset, transforms } from "vega-dataflow";
import * as encoders from "vega-encode";
import { expressionInterpreter } from "vega-interpreter";
import { compile } from "vega-lite";
import { parse } from "vega-parser";
import * as basic from "vega-transforms";
import { View } from "vega-view";
import * as layout from "vega-view-transforms";

Object.assign(transforms, basic, layout, encoders);
Object.assign(window, { trackerVega: { changeset, compile, expressionInterpreter, parse, View } });
