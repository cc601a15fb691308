// The large preview: zoom and move it, stretch and invert its greys.
import { whenShown } from "./page.js";

const STRETCHES = {
  Linear: (x) => x,
  Square: (x) => x * x,
  "Square root": Math.sqrt,
  Asinh: (x) => Math.asinh(10 * x) / Math.asinh(10),
  Logarithm: (x) => Math.log1p(1000 * x) / Math.log1p(1000),
};
const MOST = 16;
const STEP = 1.25;
const MOVE = 60;

whenShown((part) => {
  for (const figure of part.querySelectorAll(".viewer:not([data-ready])")) {
    figure.dataset.ready = "";
    const image = figure.querySelector("img");
    if (image.complete && image.naturalWidth) begin(figure, image);
    else image.addEventListener("load", () => begin(figure, image), { once: true });
  }
});

function begin(figure, image) {
  const viewer = new Viewer(figure.querySelector(".stage"), image);
  figure.querySelector(".stage").after(controls(viewer));
}

class Viewer {
  constructor(stage, image) {
    this.stage = stage;
    this.canvas = document.createElement("canvas");
    this.canvas.width = image.naturalWidth;
    this.canvas.height = image.naturalHeight;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", image.alt);
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.drawImage(image, 0, 0);
    this.pixels = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    this.look = { stretch: "Linear", black: 0, white: 255, inverted: false };
    this.zoomed = { scale: 1, x: 0, y: 0 };
    this.fingers = new Map();
    image.replaceWith(this.canvas);
    stage.tabIndex = 0;
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", "Preview: plus and minus zoom, arrows move, 0 fits");
    this.listen();
  }

  listen() {
    const { stage } = this;
    stage.addEventListener("wheel", (event) => {
      if (!event.deltaY) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, event);
    }, { passive: false });
    stage.addEventListener("dblclick", (event) => this.zoom(this.zoomed.scale < 2 ? 3 : 0, event));
    stage.addEventListener("pointerdown", (event) => {
      this.fingers.set(event.pointerId, event);
      stage.setPointerCapture(event.pointerId);
    });
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    stage.addEventListener("keydown", (event) => this.press(event));
  }

  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    this.fingers.set(event.pointerId, event);
    if (this.fingers.size === 1) {
      this.move(event.clientX - before.clientX, event.clientY - before.clientY);
      return;
    }
    const other = [...this.fingers.values()].find((one) => one.pointerId !== event.pointerId);
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
    this.zoom(apart(event) / apart(before), middle);
  }

  press(event) {
    const acts = {
      "+": () => this.zoom(STEP),
      "=": () => this.zoom(STEP),
      "-": () => this.zoom(1 / STEP),
      0: () => this.zoom(0),
      ArrowLeft: () => this.move(MOVE, 0),
      ArrowRight: () => this.move(-MOVE, 0),
      ArrowUp: () => this.move(0, MOVE),
      ArrowDown: () => this.move(0, -MOVE),
      i: () => this.show({ inverted: !this.look.inverted }),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  /** Enlarge by a factor around a point of the screen, or around the middle; 0 fits it in. */
  zoom(factor, at = null) {
    const { scale, x, y } = this.zoomed;
    const next = factor ? Math.min(Math.max(scale * factor, 1), MOST) : 1;
    const box = this.stage.getBoundingClientRect();
    const px = at ? at.clientX - box.left - box.width / 2 : 0;
    const py = at ? at.clientY - box.top - box.height / 2 : 0;
    const ratio = next / scale;
    this.zoomed = { scale: next, x: px - (px - x) * ratio, y: py - (py - y) * ratio };
    this.apply();
  }

  move(x, y) {
    this.zoomed.x += x;
    this.zoomed.y += y;
    this.apply();
  }

  apply() {
    const { scale } = this.zoomed;
    const farX = (this.canvas.offsetWidth * (scale - 1)) / 2;
    const farY = (this.canvas.offsetHeight * (scale - 1)) / 2;
    this.zoomed.x = Math.min(Math.max(this.zoomed.x, -farX), farX);
    this.zoomed.y = Math.min(Math.max(this.zoomed.y, -farY), farY);
    this.canvas.style.transform = `translate(${this.zoomed.x}px, ${this.zoomed.y}px) scale(${scale})`;
    this.canvas.style.imageRendering = scale > 3 ? "pixelated" : "auto";
    this.stage.classList.toggle("zoomed", scale > 1);
    this.onchange?.();
  }

  show(change) {
    Object.assign(this.look, change);
    const { stretch, black, white, inverted } = this.look;
    const curve = new Uint8ClampedArray(256);
    for (let grey = 0; grey < 256; grey += 1) {
      const level = Math.min(Math.max((grey - black) / Math.max(white - black, 1), 0), 1);
      const shown = STRETCHES[stretch](level);
      curve[grey] = Math.round(255 * (inverted ? 1 - shown : shown));
    }
    const drawn = new ImageData(this.canvas.width, this.canvas.height);
    const from = this.pixels.data;
    const to = drawn.data;
    for (let at = 0; at < from.length; at += 4) {
      to[at] = curve[from[at]];
      to[at + 1] = curve[from[at + 1]];
      to[at + 2] = curve[from[at + 2]];
      to[at + 3] = from[at + 3];
    }
    this.context.putImageData(drawn, 0, 0);
    this.onchange?.();
  }
}

function controls(viewer) {
  const bar = document.createElement("div");
  bar.className = "knobs";
  const larger = knob("+", "Zoom in", () => viewer.zoom(STEP * STEP));
  const smaller = knob("−", "Zoom out", () => viewer.zoom(1 / (STEP * STEP)));
  const fit = knob("Fit", "Fit the whole frame in", () => viewer.zoom(0));
  const stretch = document.createElement("select");
  for (const name of Object.keys(STRETCHES)) stretch.append(new Option(name, name));
  stretch.addEventListener("change", () => viewer.show({ stretch: stretch.value }));
  const black = slider(0, (value) => viewer.show({ black: value }));
  const white = slider(255, (value) => viewer.show({ white: value }));
  const inverted = document.createElement("input");
  inverted.type = "checkbox";
  inverted.addEventListener("change", () => viewer.show({ inverted: inverted.checked }));
  const reset = knob("Reset", "Show the preview as it was made", () => {
    stretch.value = "Linear";
    black.value = 0;
    white.value = 255;
    viewer.show({ stretch: "Linear", black: 0, white: 255, inverted: false });
    viewer.zoom(0);
  });
  const scale = document.createElement("output");
  viewer.onchange = () => {
    scale.textContent = `${Math.round(100 * viewer.zoomed.scale)} %`;
    inverted.checked = viewer.look.inverted;
  };
  viewer.onchange();
  bar.append(smaller, larger, fit, scale, labelled("Stretch", stretch), labelled("Black", black), labelled("White", white), labelled("Invert", inverted), reset);
  return bar;
}

function knob(text, name, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  if (name !== text) made.setAttribute("aria-label", name);
  made.title = name;
  made.addEventListener("click", act);
  return made;
}

function slider(value, act) {
  const made = document.createElement("input");
  Object.assign(made, { type: "range", min: 0, max: 255, value });
  made.addEventListener("input", () => act(Number(made.value)));
  return made;
}

function labelled(text, control) {
  const label = document.createElement("label");
  label.append(text, " ", control);
  return label;
}
