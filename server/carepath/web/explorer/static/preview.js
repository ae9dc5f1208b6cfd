"use strict";
// A preview shows itself anew after each change of the folder.  Who does not look at it needs no
// connection: a browser has few of them for all windows together.
const seen = document.getElementById("check").dataset.version;
let changes = null;

function follow() {
  if (changes) changes.close();
  changes = document.hidden ? null : new EventSource("/changes");
  if (changes) changes.onmessage = (event) => event.data === seen || location.reload();
}

document.addEventListener("visibilitychange", follow);
follow();
