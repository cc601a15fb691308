// What the pages do beyond links and forms. Everything works without it.
import "./bar.js";
import "./live.js";
import "./selection.js";
import "./dialog.js";
import "./viewer.js";
import "./headers.js";
import "./copying.js";
import "./menus.js";
import "./arrivals.js";
import "./progress.js";
import "./upload.js";
import { announceShown } from "./page.js";

announceShown(document);
