// The table of labels: what precision, recall and the share of answered images become as thresholds move. All of it is counted
// from the scores in the page; nothing is sent, and nothing in the model changes.
"use strict";
const data = JSON.parse(document.getElementById("scores").textContent);
const rows = [...document.querySelectorAll("[data-label]")];
const least = [...data.least]; // of each label, in millionths; null: no answer is accepted
const NEVER = 1001; // the slider's last place; the others are thousandths
const percent = (hits, n) => (n ? `${(100 * hits / n).toFixed(1)}\u00a0%` : "–");

function count(scores, least) { // how many of these, which descend, are at least so much
  if (least === null) return 0;
  let low = 0, high = scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scores[middle] >= least) low = middle + 1; else high = middle;
  }
  return low;
}

function show() {
  let taken = 0, right = 0;
  for (const row of rows) {
    const label = data.labels[Number(row.dataset.label)], bar = least[Number(row.dataset.label)];
    const hits = count(label.right, bar);
    const answers = hits + count(label.wrong, bar);
    taken += answers;
    right += hits;
    row.querySelector(".precision").textContent = percent(hits, answers);
    row.querySelector(".recall").textContent = percent(hits, label.images);
    row.querySelector(".answered").textContent = percent(answers, label.answers);
    const said = bar === null ? "never" : `from ${(bar / 10000).toFixed(1)}\u00a0%`;
    row.querySelector(".slide output").textContent = said;
    row.querySelector("input").setAttribute("aria-valuetext", said);
  }
  document.getElementById("sum").textContent =
    `${percent(taken, data.images)} of images are answered, and ${percent(right, taken)} of these answers are right.`;
}

function place(row) {
  const bar = least[Number(row.dataset.label)];
  row.querySelector("input").value = bar === null ? NEVER : Math.round(bar / 1000);
}

for (const row of rows) {
  row.querySelector("input").addEventListener("input", (event) => {
    const value = Number(event.target.value);
    least[Number(row.dataset.label)] = value === NEVER ? null : value * 1000;
    for (const choice of document.querySelectorAll("[name=wished]")) choice.checked = false;
    show();
  });
}
for (const choice of document.querySelectorAll("[name=wished]")) {
  choice.addEventListener("change", () => {
    least.splice(0, least.length, ...data.choices[Number(choice.value)]);
    rows.forEach(place);
    show();
  });
}
for (const hidden of document.querySelectorAll(".scripted")) hidden.hidden = false;
window.addEventListener("beforeprint", () => { for (const more of document.querySelectorAll("details")) more.open = true; });
rows.forEach(place); // a browser that reloads a page keeps where its sliders were
show();
