"use strict";
// The threshold slider. Without scripts it stays hidden, and the tables tell the same.
for (const box of document.querySelectorAll(".choose")) {
  const slider = box.querySelector("input");
  const steps = JSON.parse(box.dataset.steps);
  const [x0, y0, x1, y1] = JSON.parse(box.dataset.corners);
  const svg = box.parentElement.querySelector("svg");
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  mark.setAttribute("r", "6");
  mark.setAttribute("class", "mark");
  svg.append(mark);
  const percent = (share) => (100 * share).toFixed(1) + "%";
  const bottom = svg.viewBox.baseVal.height;
  const show = () => {
    const [n, right, low] = steps[slider.value];
    const threshold = percent(slider.value / (steps.length - 1));
    const coverage = n / steps[0][0];
    const precision = n ? right / n : 0;
    box.querySelector(".threshold").textContent = threshold;
    box.querySelector(".coverage").textContent = percent(coverage);
    box.querySelector(".precision").textContent = n ? percent(precision) : "\u2013";
    box.querySelector(".low").textContent = n ? percent(low) : "\u2013";
    slider.setAttribute("aria-valuetext", n
      ? `threshold ${threshold}: ${percent(coverage)} answered, ${percent(precision)} right, at least ${percent(low)}`
      : `threshold ${threshold}: nothing answered`);
    mark.setAttribute("cx", x0 + coverage * (x1 - x0));
    mark.setAttribute("cy", Math.min(y0 + precision * (y1 - y0), bottom - 6));
    mark.style.display = n ? "" : "none";
  };
  slider.addEventListener("input", show);
  box.hidden = false;
  show();
}
