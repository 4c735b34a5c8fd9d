// Levers, live progress, and the switch between light and dark. Everything that is shown comes in words from the server.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const token = $("meta[name=provgrid-token]").content;

  const post = async (address, body) => {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", "x-provgrid-token": token },
      body: JSON.stringify(body),
    });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.message);
    return found;
  };

  const withLang = (address, lang) => `${address}?lang=${lang}`;

  const theme = () => {
    const root = document.documentElement;
    const button = $("#theme");
    const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
    const tell = () => {
      button.textContent = isDark() ? button.dataset.light : button.dataset.dark;
    };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        window.localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // It holds for this page then.
      }
      tell();
    });
    prefersDark.addEventListener("change", tell);
    button.hidden = false;
    tell();
  };

  const copying = () => {
    for (const button of all("button.copy")) {
      const label = button.textContent;
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.of).textContent);
        button.textContent = button.dataset.done;
        setTimeout(() => (button.textContent = label), 1500);
      });
    }
  };

  const comparing = () => {
    for (const form of all("form.against")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        window.location.assign(form.elements.other.value);
      });
    }
  };

  // The value of a lever, and whether it differs from the run's.
  const read = (lever) => {
    const boxes = all("input", lever);
    if (lever.dataset.kind === "zones") {
      const value = boxes.filter((box) => box.checked).map((box) => box.value);
      return [value, boxes.some((box) => box.checked !== "was" in box.dataset)];
    }
    if (lever.dataset.kind === "switch") return [boxes[0].checked, boxes[0].checked !== "was" in boxes[0].dataset];
    return [boxes[0].valueAsNumber, boxes[0].value !== boxes[0].dataset.was];
  };

  const levers = (form) => {
    const wrong = $(".wrong", form);
    const say = (text) => {
      wrong.textContent = text;
      wrong.hidden = !text;
    };
    const number = (id, name, body) => {
      const input = $(`#${id}`, form);
      if (input.value !== input.defaultValue) body[name] = input.value === "" ? null : input.valueAsNumber;
    };
    const asked = () => {
      const body = { levers: {}, engine: $("#engine", form).value };
      for (const lever of all(".lever[data-key]", form)) {
        const [value, differs] = read(lever);
        lever.classList.toggle("changed", differs);
        if (differs) body.levers[lever.dataset.key] = value;
      }
      number("gap", "gap_percent", body);
      number("limit", "time_limit_s", body);
      return body;
    };
    let turn = 0;
    let timer = 0;
    const show = async () => {
      const body = asked();
      if (!form.checkValidity()) return;
      const mine = ++turn;
      try {
        const found = await post(withLang(`${form.dataset.api}/command`, form.dataset.lang), body);
        if (mine === turn) {
          $("#command").textContent = found.command;
          say("");
        }
      } catch (error) {
        if (mine === turn) say(error.message);
      }
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(show, 200);
    };
    form.addEventListener("input", later);
    form.addEventListener("reset", () => setTimeout(show));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = $("button[type=submit]", form);
      button.disabled = true;
      try {
        const found = await post(withLang(`${form.dataset.api}/solve`, form.dataset.lang), asked());
        window.location.assign(withLang(found.page, form.dataset.lang));
      } catch (error) {
        say(error.message);
        wrong.scrollIntoView({ block: "nearest" });
      } finally {
        button.disabled = false;
      }
    });
    show();
  };

  const solving = (section) => {
    const cancel = $("#cancel");
    const link = (id, address, run) => {
      $(id).href = address.replace("%40", encodeURIComponent(run));
      $(id).hidden = false;
    };
    const show = (state) => {
      for (const place of all("[data-show]", section)) {
        const text = state[place.dataset.show];
        if (place.textContent !== text) place.textContent = text;
        if (place.dataset.show === "message") place.hidden = !text;
      }
      section.dataset.state = state.state;
      cancel.hidden = !["waiting", "running"].includes(state.state);
      cancel.textContent = state.state === "waiting" ? section.dataset.drop : section.dataset.cancel;
      if (state.run) {
        link("#to-comparison", section.dataset.compare, state.run);
        link("#to-run", section.dataset.run, state.run);
      }
    };
    let ended = false;
    const events = new EventSource(withLang(`${section.dataset.api}/events`, section.dataset.lang));
    events.addEventListener("message", (event) => {
      const state = JSON.parse(event.data);
      show(state);
      ended = ["done", "cancelled", "failed"].includes(state.state);
      if (ended) events.close();
    });
    events.addEventListener("error", () => {
      if (!ended && events.readyState === EventSource.CLOSED) show({ message: section.dataset.lost, state: "failed" });
    });
    cancel.addEventListener("click", async () => {
      cancel.hidden = true;
      try {
        show(await post(withLang(`${section.dataset.api}/cancel`, section.dataset.lang), {}));
      } catch (error) {
        show({ message: error.message });
      }
    });
  };

  theme();
  copying();
  comparing();
  if ($("#levers")) levers($("#levers"));
  if ($("#solve")) solving($("#solve"));
})();
