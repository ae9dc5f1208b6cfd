"use strict";
// What the explorer gains by scripts: it reads and works without.
