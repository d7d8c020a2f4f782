"use strict";
{
  const $ = (id) => document.getElementById(id);
  const base = location.origin + location.pathname.replace(/\/*$/, "/"); // an API Gateway puts a stage before the path
  const LARGEST = 4e6; // bytes; a gateway turns a body into base64, and Lambda takes 6 MB
  const SIDE = 2048; // px; what a larger picture is scaled to: the model looks at 299
  const KEY_REFUSED = ["The API key was not accepted", "Enter the key that the operator of this service gave you, then try again."];
  const NOTHING = "Nothing it knows";
  const UNTAUGHT = "Nothing it was taught";
  const HINTS = { // by decision
    uncertain: "Not sure enough to rely on. Let a person look.",
    unknown: "This picture is unlike all that the model has learned from, so any name for it would be a guess.",
  };
  const DARKEST = 0.8; // opacity of the veil over what does not speak for the name
  const LEAST_SCALE = 1; // log-odds under which no place is clear, so that a picture without evidence has none
  const VEIL = [8, 14, 36]; // a warm layer would not be seen on a warm flower
  const WORDS = { // by status: a title for people, and advice where the answer has none because a gateway made it
    403: ["Not allowed", "This service may not be used that way."],
    413: ["Too large", "The picture is larger than the service takes. Choose a smaller one."],
    415: ["Not a picture it can read", "Choose a JPEG, PNG or WebP picture."],
    422: ["This picture cannot be used", "Choose another one."],
    429: ["Too many at once", "The service has more requests than it takes. Wait a moment, then try again."],
    500: ["Something broke", "It is the service's fault. Try again."],
    502: ["Something broke", "It is the service's fault. Try again."],
    503: ["Not ready", "The service cannot answer now. Wait a moment, then try again."],
    504: ["Too slow", "The service took too long, as the first request after a pause can. Try again."],
  };
  let request = new AbortController();
  let last = null; // the picture that "Try again" sends, and its tile where there are several

  async function show(file, tile = null) {
    request.abort(); // a newer picture replaces one that is still under way
    const { signal } = (request = new AbortController());
    last = [file, tile];
    preview(file);
    turn("busy");
    $("outcome").textContent = "Looking …";
    try {
      const started = performance.now();
      const answer = await classify(await lighten(file), signal);
      settle(file, tile, nameOf(answer), () => result(answer, performance.now() - started));
    } catch (error) {
      if (!signal.aborted) settle(file, tile, "no answer", () => failure(error));
    }
    return !signal.aborted;
  }

  const nameOf = ({ labels, decision }) => (decision === "unknown" ? UNTAUGHT : labels[0]?.name ?? NOTHING);

  function settle(file, tile, name, answer) {
    answer();
    if (!tile) return;
    tile.querySelector("span").textContent = name;
    tile.disabled = false;
    tile.onclick = () => { last = [file, tile]; preview(file); answer(); };
  }

  function tileOf(file) {
    const tile = document.createElement("button");
    const picture = tile.appendChild(document.createElement("img"));
    picture.src = URL.createObjectURL(file);
    picture.alt = "";
    tile.appendChild(document.createElement("span")).textContent = "…";
    tile.type = "button";
    tile.disabled = true;
    return tile;
  }

  async function classify(body, signal) {
    const headers = { "Content-Type": body.type || "application/octet-stream" };
    if ($("key").value) headers["X-Api-Key"] = $("key").value;
    let response;
    try {
      response = await fetch(base + "v1/classify?explain=true", { method: "POST", body, headers, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw { title: "No connection", detail: "The service cannot be reached. Check your connection and try again.", again: true };
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw { status: response.status, id: response.headers.get("X-Request-Id"), ...answer, again: response.status >= 429 };
  }

  async function lighten(file) {
    if (file.size <= LARGEST) return file;
    try {
      const picture = await createImageBitmap(file); // upright: it heeds EXIF
      const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale];
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      return await new Promise((done) => canvas.toBlob((blob) => done(blob ?? file), "image/jpeg", 0.9));
    } catch {
      return file; // not a format of this browser: the service may read it
    }
  }

  function preview(file) {
    URL.revokeObjectURL($("preview").src);
    $("preview").hidden = $("figure").hidden = false;
    $("no-preview").hidden = true;
    $("preview").src = URL.createObjectURL(file);
  }

  function turn(state) {
    document.querySelector("main").dataset.state = state;
    $("answer").hidden = false;
    $("choose").textContent = "Choose another";
    $("answer").setAttribute("aria-busy", state === "busy");
    $("problem").hidden = state !== "error";
    $("outcome").textContent = $("hint").textContent = $("facts").textContent = "";
    $("where").hidden = $("heat").hidden = true;
    $("labels").replaceChildren();
  }

  function result(answer, milliseconds) {
    const { decision, model, image } = answer;
    const labels = decision === "unknown" ? [] : answer.labels; // no bar for what means nothing
    turn("result");
    $("outcome").textContent = (labels.length ? doubt(labels[0].score, decision) : "") + nameOf(answer);
    $("hint").textContent = HINTS[decision] ?? "";
    $("labels").replaceChildren(...labels.map(({ name, score }) => row(name, percent(score), score)));
    if (labels.length && answer.heat_map) offer(answer.heat_map, image);
    $("facts").textContent =
      `${model.name}, version ${model.version} · ${image.width} × ${image.height} ${image.format} · answered in ` +
      `${Math.round(milliseconds)} ms`;
    $("answer").scrollIntoView({ block: "nearest" });
  }

  function doubt(score, decision) {
    if (decision) return decision === "accepted" ? "" : "Perhaps ";
    return score >= 0.9 ? "" : score >= 0.5 ? "Probably " : "Perhaps "; // a model that cannot judge itself
  }

  function offer(heat, { width, height }) { // a veil over the picture, in its proportions: the clearer a place, the more it counts
    const most = Math.max(LEAST_SCALE, ...heat.flat());
    const alpha = (value) => 255 * DARKEST * (1 - Math.max(0, value / most));
    const small = document.createElement("canvas");
    [small.width, small.height] = [heat[0].length, heat.length];
    const pixels = heat.flat().flatMap((value) => [...VEIL, alpha(value)]);
    small.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), small.width), 0, 0);
    const scale = 512 / Math.max(width, height); // px
    [$("heat").width, $("heat").height] = [Math.max(1, width * scale), Math.max(1, height * scale)];
    const context = $("heat").getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, $("heat").width, $("heat").height);
    $("where").hidden = $("preview").hidden;
    $("heat").hidden = $("where").hidden || !shown();
  }

  const shown = () => $("where").getAttribute("aria-pressed") === "true";

  const percent = (score) => (score < 0.001 ? "< 0.1 %" : `${(score * 100).toFixed(1)} %`);

  function row(name, share, score) {
    const item = document.createElement("li");
    for (const [kind, text] of [["name", name], ["share", share], ["track", ""]]) {
      const part = item.appendChild(document.createElement("span"));
      part.className = kind;
      part.textContent = text;
    }
    const fill = item.lastChild.appendChild(document.createElement("span"));
    fill.className = "fill";
    requestAnimationFrame(() => requestAnimationFrame(() => (fill.style.width = score * 100 + "%"))); // grows from nothing
    return item;
  }

  function failure(error) {
    const keyRefused = !error.detail && [401, 403].includes(error.status); // a gateway's refusal: the service gives details
    const [title, advice] = keyRefused ? KEY_REFUSED : (WORDS[error.status] ?? [error.title ?? "That did not work", "Try again."]);
    const detail = error.detail ?? advice;
    const id = error.request_id ?? error.id;
    turn("error");
    $("problem-title").textContent = title;
    $("problem-detail").textContent = detail[0].toUpperCase() + detail.slice(1);
    $("problem-code").textContent = [error.code, id && `request ${id}`].filter(Boolean).join(" · ");
    $("again").hidden = !(error.again || keyRefused);
    if (keyRefused) {
      $("key-section").hidden = false;
      $("key").focus();
    } else {
      $("problem").scrollIntoView({ block: "nearest" });
    }
  }

  async function take(files) {
    const chosen = [...files]; // what is no picture is told so by the service
    if (!chosen.length) return;
    const tiles = chosen.length > 1 ? chosen.map(tileOf) : [];
    for (const { src } of $("several").querySelectorAll("img")) URL.revokeObjectURL(src);
    $("several").replaceChildren(...tiles);
    for (const [number, file] of chosen.entries()) {
      if (!(await show(file, tiles[number]))) return; // others were chosen meanwhile
    }
    tiles[0]?.click();
  }

  for (const [button, input] of [["choose", "file"], ["photograph", "camera"]]) {
    $(button).addEventListener("click", () => $(input).click());
    $(input).addEventListener("change", () => { take($(input).files); $(input).value = ""; });
  }
  document.addEventListener("paste", (event) => take(event.clipboardData.files));
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.querySelector("main").dataset.dragging = ""; });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) delete document.querySelector("main").dataset.dragging; });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    delete document.querySelector("main").dataset.dragging;
    take(event.dataTransfer.files);
  });
  $("preview").addEventListener("error", () => {
    $("preview").hidden = $("where").hidden = $("heat").hidden = true;
    $("no-preview").hidden = false;
  });
  $("where").addEventListener("click", () => {
    $("where").setAttribute("aria-pressed", !shown());
    $("heat").hidden = !shown();
  });
  $("again").addEventListener("click", () => show(...last));
  $("key").addEventListener("keydown", (event) => { if (event.key === "Enter" && last) show(...last); });
  $("curl").textContent = `curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg'${$("key-section").hidden ? "" : " -H 'X-Api-Key: …'"} ${base}v1/classify`;
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText($("curl").textContent);
    $("copy").textContent = "Copied";
  });
  $("docs").href = base + "docs";
}
