"use strict";

// Makes the pages quick for whoever works with the keyboard. Everything here has a plain form or
// link behind it: a key clicks the control that carries it in aria-keyshortcuts.

(() => {
  const root = document.documentElement;
  const picker = document.getElementById("picker");
  const filter = document.getElementById("picker-filter");
  const list = document.getElementById("picker-list");
  let isBusy = false;
  let picking = null;

  root.classList.add("scripted");

  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  function say(text) {
    const live = document.getElementById("live");
    live.textContent = "";
    // Emptied first: the same sentence twice is news the second time too.
    if (text) window.setTimeout(() => (live.textContent = text), 30);
  }

  // ------------------------------------------------------------------ keys

  function controlFor(key) {
    const selector = `#page [aria-keyshortcuts~="${CSS.escape(key)}"]`;
    const near = document.activeElement?.closest("[data-scope]");
    return (near && find(selector.replace("#page ", ""), near)) || find(selector);
  }

  function moveInRows(step) {
    const links = all("[data-rows] th a");
    if (!links.length) return false;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
    links[Math.min(Math.max(next, 0), links.length - 1)].focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.defaultPrevented || find("dialog[open]")) return;
    const target = event.target;
    const types = target.matches("input:not([type=checkbox]), select, textarea:not([readonly])");
    if (types || target.isContentEditable) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key.length !== 1 || event.key === " ") return;
    const key = event.key.toLowerCase();
    const rows = { n: 1, j: 1, p: -1, k: -1 }[key];
    if (rows && moveInRows(rows)) return event.preventDefault();
    const control = controlFor(key);
    if (!control) return;
    event.preventDefault();
    // A key that is held down, or hit twice, must not decide the next ticket unseen.
    if (isBusy || event.repeat) return;
    if ("focus" in control.dataset) control.focus();
    else control.click();
  });

  // ------------------------------------------------------------------ choosing a label

  const select = (name) => document.getElementById(`choose-${name}`);
  const other = (name) => ({ tier: "category", category: "tier" })[name];

  function choices() {
    const options = [...select(picking).options].filter((one) => one.value);
    const isDigit = options.every((one) => /^\d$/.test(one.value));
    return options.map((one, index) => ({
      value: one.value,
      name: one.dataset.name,
      share: Number(one.dataset.share || 0),
      number: isDigit ? one.value : String(index + 1),
    }));
  }

  function fits(choice, typed) {
    if (/^\d+$/.test(typed)) return choice.number.startsWith(typed);
    return `${choice.name} ${choice.value}`.toLowerCase().includes(typed);
  }

  function showChoices() {
    const typed = filter.value.trim().toLowerCase();
    const found = choices().filter((one) => fits(one, typed));
    const chosen = select(picking).value;
    list.replaceChildren(
      ...found.map((one) => {
        const item = document.createElement("li");
        const number = document.createElement("kbd");
        const name = document.createElement("bdi");
        item.id = `pick-${one.number}`;
        item.role = "option";
        item.dataset.value = one.value;
        number.textContent = one.number;
        number.ariaHidden = "true";
        name.textContent = one.name;
        item.append(number, name);
        if (one.share) {
          const share = document.createElement("span");
          share.className = "figure";
          share.textContent = one.share < 0.005 ? "<1%" : `${Math.round(100 * one.share)}%`;
          item.append(share);
        }
        return item;
      }),
    );
    document.getElementById("picker-none").hidden = found.length > 0;
    // Where nothing is typed: what was chosen before, or else the likeliest of the others.
    const start =
      found.find((one) => one.number === typed) ||
      found.find((one) => one.value === chosen) ||
      found.reduce((best, one) => (one.share > best.share ? one : best), found[0]);
    activate(list.children[Math.max(found.indexOf(start), 0)]);
  }

  function activate(item) {
    for (const one of list.children) one.ariaSelected = String(one === item);
    filter.setAttribute("aria-activedescendant", item ? item.id : "");
    if (item) item.scrollIntoView({ block: "nearest" });
  }

  const active = () => find('[aria-selected="true"]', list);

  function pick(name) {
    if (!select(name)) return;
    picking = name;
    filter.value = "";
    document.getElementById("picker-title").textContent =
      `Which ${select(name).dataset.title || name}?`;
    const more = document.getElementById("picker-more");
    more.hidden = !other(name);
    find("span", more).textContent = `And the ${other(name)}`;
    if (!picker.open) picker.showModal();
    showChoices();
    filter.focus();
  }

  function choose(goOn) {
    const item = active();
    if (!item) return;
    select(picking).value = item.dataset.value;
    showStaged();
    if (goOn && other(picking)) return pick(other(picking));
    save();
  }

  // What has neither a suggestion nor a choice is asked for before anything is stored.
  function save() {
    const asks = (find("#decision")?.dataset.asks || "").split(" ").filter(Boolean);
    const open = asks.find((name) => select(name) && !select(name).value);
    if (open) return pick(open);
    if (picker.open) picker.close();
    document.getElementById("save-correction").click();
  }

  function staged() {
    return ["tier", "category"].filter((name) => select(name)?.value);
  }

  function showStaged() {
    const line = document.getElementById("staged");
    if (!line) return;
    const names = staged().map((name) => `${name} ${select(name).selectedOptions[0].dataset.name}`);
    line.hidden = names.length === 0;
    line.textContent = names.length ? `Chosen, not saved yet: ${names.join(", ")}` : "";
    const accept = find("[data-accepts]");
    if (accept) accept.firstChild.textContent = names.length ? "Save " : "Accept ";
  }

  filter.addEventListener("input", showChoices);
  filter.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const items = [...list.children];
      activate(items[(items.indexOf(active()) + step + items.length) % items.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!event.repeat) choose(event.shiftKey);
    }
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (!item) return;
    activate(item);
    choose(event.shiftKey);
  });
  find("form", picker).addEventListener("submit", (event) => {
    event.preventDefault();
    choose(false);
  });
  document.getElementById("picker-more").addEventListener("click", () => choose(true));
  document.getElementById("picker-leave").addEventListener("click", () => picker.close());

  // ------------------------------------------------------------------ clicks

  document.addEventListener(
    "click",
    (event) => {
      const control = event.target.closest("button");
      if (!control) return;
      if (control.dataset.opens) document.getElementById(control.dataset.opens).showModal();
      if (control.dataset.picks) pick(control.dataset.picks);
      if (control.dataset.copies) copy(document.getElementById(control.dataset.copies), control);
      if ("saves" in control.dataset) save();
      if (control.dataset.said) said = control.dataset.said;
      if ("accepts" in control.dataset && staged().length) {
        // What was chosen counts: nobody who sees it on the page means the suggestion.
        event.preventDefault();
        event.stopPropagation();
        save();
      }
    },
    true,
  );

  let said = "";

  async function copy(field, control) {
    try {
      await navigator.clipboard.writeText(field.value);
      control.textContent = "Copied";
      say("Copied");
    } catch {
      field.focus();
      field.select();
      say("Selected: copy it with the keyboard");
      control.textContent = "Selected";
    }
  }

  // ------------------------------------------------------------------ ticked steps

  const stepsOf = () => find("[data-steps]")?.dataset.steps;

  function keepSteps() {
    const id = stepsOf();
    if (!id) return;
    const ticked = all("input[name=step]:checked").map((one) => one.value);
    sessionStorage.setItem(`steps ${id}`, JSON.stringify(ticked));
  }

  function tickAgain() {
    const id = stepsOf();
    const ticked = id ? JSON.parse(sessionStorage.getItem(`steps ${id}`) || "[]") : [];
    for (const one of all("input[name=step]")) one.checked = one.checked || ticked.includes(one.value);
  }

  document.addEventListener("change", (event) => {
    if (event.target.name === "step") keepSteps();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id === "decision") sessionStorage.removeItem(`steps ${stepsOf()}`);
  });

  // ------------------------------------------------------------------ pages that come and go

  function arrive() {
    tickAgain();
    showStaged();
    const page = document.getElementById("page");
    say(page.dataset.said);
  }

  document.addEventListener("htmx:beforeRequest", () => (isBusy = true));
  document.addEventListener("htmx:afterRequest", () => (isBusy = false));
  document.addEventListener("htmx:sendError", () =>
    complain("The service cannot be reached. Nothing was stored; try again."),
  );
  document.addEventListener("htmx:timeout", () =>
    complain("The service does not answer. Load the page again to see what was stored."),
  );

  function complain(text) {
    say(text);
    const box = document.createElement("p");
    box.className = "problem";
    box.role = "alert";
    box.textContent = text;
    all("#content > .problem").forEach((one) => one.remove());
    document.getElementById("content").prepend(box);
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id === "articles" || event.target.id === "articles") {
      tickAgain();
      say(said);
      said = "";
      return;
    }
    arrive();
    find("#page h1")?.focus({ preventScroll: true });
  });

  arrive();
})();
