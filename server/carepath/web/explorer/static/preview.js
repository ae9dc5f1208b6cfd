"use strict";
// A preview shows itself anew after each change of the folder.
const seen = document.getElementById("check").dataset.version;
new EventSource("/changes").addEventListener("message", (event) => {
  if (event.data !== seen) location.reload();
});
