/* Search the sections of all pages. `book` and `Stemmer` stand in words.js, which the build writes. */
"use strict";

(() => {
  const SHOWN = 30;
  const field = document.querySelector(".bd-search-container input");
  const stemmer = new Stemmer();
  const stopwords = new Set(book.stopwords);
  const synonyms = synonymsOf(book.synonyms);
  const index = indexOf(book.pages);

  /* One expression for all that a term may be called, and the term for each. */
  function synonymsOf(terms) {
    const names = new Map();
    for (const [term, others] of Object.entries(terms)) {
      for (const name of [term, ...others]) names.set(name.toLowerCase(), term);
    }
    const longestFirst = [...names.keys()].sort((a, b) => b.length - a.length);
    const patterns = longestFirst.map((name) =>
      /^[\x20-\x7e]+$/.test(name) ? `(?<!\\w)${name.replaceAll(" ", "[\\s-]+")}(?!\\w)` : name,
    );
    return { names, pattern: new RegExp(patterns.join("|"), "g") };
  }

  /* Write a text with the book's names of things. */
  function inOurWords(text) {
    return text
      .toLowerCase()
      .normalize("NFKC")
      .replace(synonyms.pattern, (name) => ` ${synonyms.names.get(name.replace(/[\s-]+/g, " "))} `);
  }

  function tokens(text) {
    return inOurWords(text).split(/[^\p{L}\p{N}]+/u).filter((word) => word && !stopwords.has(word));
  }

  function stems(text) {
    return tokens(text).map((word) => stemmer.stemWord(word));
  }

  function plain(html) {
    const element = document.createElement("template");
    element.innerHTML = html;
    return element.content.textContent;
  }

  function indexOf(pages) {
    const found = new MiniSearch({
      fields: ["title", "page", "text"],
      storeFields: ["name", "section", "of"],
      tokenize: tokens,
      processTerm: (word) => stemmer.stemWord(word),
      searchOptions: {
        boost: { title: 3, page: 0.5 },
        boostDocument: (id, term, stored) => stored.of.weight,
        prefix: (term, place, terms) => place === terms.length - 1,
        fuzzy: (term) => (term.length > 5 ? 0.15 : false),
      },
    });
    let id = 0;
    for (const of of pages) {
      const page = plain(of.sections[0]?.[1] ?? "");
      for (const section of of.sections) {
        const heading = plain(section[1]);
        // A name of the package counts as a part of what is said of it, or it would come first.
        const [title, name] = section[1].startsWith("<code>") ? ["", heading] : [heading, ""];
        const text = `${name} ${plain(section[2].join(" "))}`;
        found.add({ id, title, page, text, name: stems(title).join(" "), section, of });
        id += 1;
      }
    }
    return found;
  }

  /* All words, or else any; first of all what is called just so. */
  function search(query) {
    const all = index.search(query, { combineWith: "AND" });
    const hits = all.length ? all : index.search(query);
    const asked = stems(query).join(" ");
    const score = (hit) => hit.score * (hit.name === asked ? 1.5 : 1);
    return hits.sort((a, b) => score(b) - score(a));
  }

  /* The sentence with most of the words; a whole one rather than a part. */
  function excerpt(sentences, terms) {
    const scores = sentences.map((sentence) => {
      const text = plain(sentence);
      const words = new Set(stems(text));
      const whole = text.length > 40 && /[.?!)”]$/.test(text);
      return terms.filter((term) => words.has(term)).length + (whole ? 0.5 : 0);
    });
    const best = document.createElement("p");
    best.className = "context";
    best.innerHTML = sentences[scores.indexOf(Math.max(...scores))] ?? "";
    const texts = document.createTreeWalker(best, NodeFilter.SHOW_TEXT);
    const words = [];
    while (texts.nextNode()) {
      if (!texts.currentNode.parentElement.closest("math")) words.push(texts.currentNode);
    }
    for (const text of words) text.replaceWith(...emphasized(text.data, terms));
    return best;
  }

  function emphasized(text, terms) {
    return text.split(/([\p{L}\p{N}]+)/u).map((part) => {
      if (!stems(part).some((stem) => terms.includes(stem))) return part;
      const strong = document.createElement("strong");
      strong.textContent = part;
      return strong;
    });
  }

  function item(hit) {
    const [anchor, title, sentences] = hit.section;
    const link = document.createElement("a");
    link.href = hit.of.url + (anchor && `#${anchor}`);
    link.innerHTML = title;
    const place = document.createElement("span");
    place.className = "small text-muted";
    place.innerHTML = anchor && ` ${hit.of.number} ${hit.of.sections[0][1]}`;
    const line = document.createElement("li");
    line.append(link, place, excerpt(sentences, hit.terms));
    return line;
  }

  function show() {
    const query = field.value.trim();
    const hits = query ? search(query) : [];
    const found = hits.length === 1 ? "1 section" : `${hits.length || "No"} sections`;
    count.textContent = query && `${found} found.`;
    list.replaceChildren(...hits.slice(0, SHOWN).map(item));
  }

  const count = document.createElement("p");
  count.setAttribute("role", "status");
  const list = document.createElement("ul");
  list.className = "search";
  document.getElementById("search-results").append(count, list);
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.addEventListener("input", () => {
    history.replaceState(null, "", `?${new URLSearchParams({ q: field.value })}`);
    show();
  });
  show();
})();
