"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const make = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    return element;
  };

  // The point whose x is nearest, or for steps the last one that is not past it.
  const find = (points, x, step) => {
    let low = 0, high = points.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (points[middle][0] <= x) low = middle; else high = middle - 1;
    }
    const next = points[low + 1];
    return !step && next && next[0] - x < x - points[low][0] ? next : points[low];
  };

  const hover = (figure) => {
    const svg = figure.querySelector("svg.chart");
    const chart = JSON.parse(figure.querySelector("script").textContent);
    const [left, top, right, bottom] = chart.plot;
    const lines = chart.lines.filter((line) => line.points.length);
    if (!lines.length) return;
    const marks = svg.appendChild(make("g", {}));
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    figure.append(tip);

    const hide = () => { tip.hidden = true; marks.replaceChildren(); };
    const show = (event) => {
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const x = (event.clientX - box.left) * scale;
      if (x < left - 8 || x > right + 8) return hide();
      const found = lines.map((line) => [line, find(line.points, x, chart.step)]);
      // Lines that have no point near here have nothing to say.
      const nearest = found.reduce((a, b) => Math.abs(b[1][0] - x) < Math.abs(a[1][0] - x) ? b : a)[1];
      const shown = found.filter(([, point]) => chart.step || Math.abs(point[0] - nearest[0]) < 12);
      marks.replaceChildren(make("line", { class: "guide", x1: nearest[0], x2: nearest[0], y1: top, y2: bottom }));
      const heading = document.createElement("b");
      heading.textContent = nearest[2];
      tip.replaceChildren(heading);
      for (const [line, point] of shown) {
        marks.append(make("circle", { class: `guide-dot k${line.colour}`, cx: point[0], cy: point[1], r: 4 }));
        const row = document.createElement("span");
        const swatch = document.createElement("i");
        swatch.className = `swatch k${line.colour}`;
        row.append(swatch, `${line.name ? line.name + ": " : ""}${point[3]}`);
        tip.append(row);
      }
      tip.hidden = false;
      const origin = figure.getBoundingClientRect();
      const at = nearest[0] / scale + box.left - origin.left;
      const beside = at + tip.offsetWidth + 14 < figure.clientWidth ? at + 12 : at - tip.offsetWidth - 12;
      tip.style.left = `${Math.max(4, beside)}px`;
      tip.style.top = `${box.top - origin.top + (top + 6) / scale}px`;
    };
    svg.addEventListener("pointermove", show);
    svg.addEventListener("pointerdown", show);
    svg.addEventListener("pointerleave", hide);
  };
  document.querySelectorAll("figure[data-hover]").forEach(hover);

  const button = document.querySelector("#theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement.style;
    const is = root.colorScheme ? root.colorScheme === "dark" : dark.matches;
    root.colorScheme = is ? "light" : "dark";
  });
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
  });
})();
