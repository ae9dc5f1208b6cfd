"use strict";
// What the pages gain by scripts: views as tabs, a place to drop a file, answers without a reload.
// They read and work without.

let view = "";

/** Show one of several views, and tell so to who cannot see it. */
function show(panel) {
  view = panel.id;
  for (const tab of document.querySelectorAll(".tabs a")) {
    const target = document.getElementById(tab.hash.slice(1));
    const chosen = target === panel;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    target.hidden = !chosen;
  }
}

/** Turn links to sections into tabs. */
function makeTabs() {
  const list = document.querySelector(".tabs");
  if (!list) return;
  const tabs = [...list.querySelectorAll("a")];
  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const panel = document.getElementById(tab.hash.slice(1));
    tab.id = "tab-" + panel.id;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      show(panel);
    });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      next.click();
      next.focus();
    });
  }
  show(document.getElementById(view) || document.getElementById(tabs[0].hash.slice(1)));
}

/** Bring what a link leads to into sight, whatever it is folded into. */
function reveal(id) {
  const target = id && document.getElementById(id);
  if (!target) return;
  const panel = target.closest(".view");
  if (panel) show(panel);
  for (let at = target; at; at = at.parentElement) {
    if (at.tagName === "DETAILS") at.open = true;
  }
  if (panel === target) return;
  const mark = target.querySelector("mark");
  (mark || target).scrollIntoView({ block: mark ? "center" : "start" });
  if (target.matches("[tabindex], input, select")) target.focus({ preventScroll: true });
}

/** Let a file be dropped onto its field. */
function makeDrop(place) {
  const input = document.getElementById(place.dataset.drop);
  place.querySelector(".drop-hint").hidden = false;
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("is-over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("is-over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("is-over");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.form.requestSubmit();
  });
}

/** Ask again with what was supposed, and put the answer in the place of the last one. */
async function ask(form, submitter) {
  const folded = document.querySelector("#what-if details");
  const wasOpen = folded && folded.open;
  const focused = document.activeElement && document.activeElement.id;
  const data = new FormData(form);
  if (submitter && submitter.name) data.append(submitter.name, submitter.value);
  const main = document.getElementById("main");
  main.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: data });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    main.replaceChildren(...fresh.getElementById("main").childNodes);
  } finally {
    main.removeAttribute("aria-busy");
  }
  enhance();
  const fold = document.querySelector("#what-if details");
  if (fold && wasOpen) fold.open = true;
  const again = focused && document.getElementById(focused);
  if (again) again.focus({ preventScroll: true });
}

function enhance() {
  makeTabs();
  document.querySelectorAll("[data-drop]").forEach(makeDrop);
  const whatIf = document.getElementById("what-if");
  if (!whatIf) return;
  whatIf.addEventListener("change", () => ask(whatIf));
  whatIf.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(whatIf, event.submitter);
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const to = link && link.getAttribute("href");
  if (!to || !to.startsWith("#") || link.getAttribute("role") === "tab") return;
  event.preventDefault();
  history.pushState(null, "", to);
  reveal(to.slice(1));
});
window.addEventListener("popstate", () => reveal(location.hash.slice(1)));
enhance();
reveal(location.hash.slice(1));
