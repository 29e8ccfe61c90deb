const AHEAD = "400px";

/** Calls `act` once, when the element comes near the window or the page is printed. */
export function whenSeen(element: Element, act: () => void): void {
  const once = () => {
    observer.disconnect();
    removeEventListener("beforeprint", once);
    act();
  };
  const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && once(), { rootMargin: AHEAD });
  observer.observe(element);
  addEventListener("beforeprint", once);
}
