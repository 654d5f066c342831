// What is done to the rendered pages, which are all in one document, before it is printed.

const articles = () => [...document.querySelectorAll("article")];

function make(name, attributes, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

function textOf(heading) {
  const copy = heading.cloneNode(true);
  copy.querySelectorAll("annotation").forEach((each) => each.remove());
  return copy.textContent.trim();
}

const titleOf = (article) => textOf(article.querySelector("h1"));
const anchor = (page, id) => `${page}:${id}`;

// Identifiers become those of the whole book, and links between pages links within it.
function link(article, names) {
  const { name, address, file } = article.dataset;
  article.id = anchor(name, "");
  // The style sheet knows a proof by its identifier.
  for (const each of article.querySelectorAll("[id]:not(svg *, #proof)")) each.id = anchor(name, each.id);
  for (const each of article.querySelectorAll("a[href]:not(svg *)")) {
    const target = new URL(each.getAttribute("href"), address);
    const page = names.get(target.origin + target.pathname);
    each.href = page ? `#${anchor(page, decodeURIComponent(target.hash.slice(1)))}` : target.href;
  }
  for (const each of article.querySelectorAll("img[src]")) {
    each.src = new URL(each.getAttribute("src"), file).href;
    each.removeAttribute("loading");
  }
}

// Paper has no script and no second layout of a figure. Solutions and proofs stand open; the code
// that a lab folds away stays away.
function unfold(article) {
  const unused = "script, .headerlink, .drawing svg + svg, .start, .cell.tag_hide-input > details.hide";
  article.querySelectorAll(unused).forEach((each) => each.remove());
  for (const fold of article.querySelectorAll("details")) {
    const title = fold.querySelector("summary .collapsed") ?? fold.querySelector("summary");
    const told = textOf(title).replace(/^Show (.)/, (_, first) => first.toUpperCase());
    fold.querySelector("summary").replaceWith(make("p", { class: "unfolded" }, told));
    fold.replaceWith(make("div", { class: "fold" }, ...fold.childNodes));
  }
}

// The chapter stands at the head of each page, and beside it the page that is nested under it.
// What is in a folder of its own, as the reference of the package, runs on.
function head(leaves) {
  let rules = "";
  let [chapter, number] = ["", 0];
  for (const [index, article] of articles().entries()) {
    const { name, depth } = leaves[index];
    const title = titleOf(article);
    if (depth < 2) [chapter, number] = [title, index];
    const runsOn = depth > 1 && name.split("/").length > 2;
    article.classList.toggle("runs-on", runsOn);
    article.style.page = `leaf-${runsOn ? number : index}`;
    rules += `@page leaf-${index} {
      @top-left { content: ${JSON.stringify(chapter)} }
      @top-right { content: ${JSON.stringify(depth < 2 ? "" : title)} }
    }`;
  }
  document.head.append(make("style", {}, rules));
}

function titlePage(facts) {
  const [name, ...rest] = facts.title.split(": ");
  const address = facts["repository-code"];
  return make("header", { class: "title-page" },
    make("p", { class: "name" }, name),
    make("p", { class: "subtitle" }, rest.join(": ")),
    ...document.querySelectorAll(".hero"),
    make("p", {}, facts.authors.map((each) => each.name).join(", ")),
    make("p", {}, `Version ${facts.version}, ${facts["date-released"]}`),
    make("p", {}, make("a", { href: address }, address)));
}

// The places of the contents: how deep each is, its title, and its anchor; a part has none.
function places(leaves) {
  const found = [];
  for (const [index, article] of articles().entries()) {
    const { part, depth } = leaves[index];
    if (part) found.push([0, part, null]);
    found.push([depth, titleOf(article), article.id]);
    for (const heading of depth ? article.querySelectorAll("h2") : [])
      found.push([depth + 1, textOf(heading), heading.parentElement.id, titleOf(article)]);
  }
  return found;
}

// Only the sections of a chapter are printed, but what a hidden entry links to has a page, too.
function contents(found) {
  const list = make("ul", {});
  for (const [depth, title, id, page] of found) {
    const inChapter = /^\d/.test(page ?? "");
    const kind = id === null ? "part" : page === undefined ? `page-${depth}` : inChapter ? "section" : "unprinted";
    list.append(make("li", { class: kind }, id === null ? title : make("a", { href: `#${id}` },
      make("span", {}, title), make("span", { class: "number" }))));
  }
  return make("nav", { class: "book-contents" }, make("h1", {}, "Contents"), list);
}

// Makes one book of the pages, and returns its contents.
function bind(leaves, facts) {
  const names = new Map(articles().map((each) => [each.dataset.address, each.dataset.name]));
  for (const article of articles()) {
    link(article, names);
    unfold(article);
  }
  head(leaves);
  const found = places(leaves);
  document.body.prepend(titlePage(facts), contents(found));
  return found;
}

// What is wider than its place is made as much smaller. All is measured before anything changes.
// Returns what is wider than the page all the same.
function fit() {
  const wide = [];
  for (const place of document.querySelectorAll(".formula, .pst-scrollable-table-container")) {
    const part = place.clientWidth / place.scrollWidth;
    const size = parseFloat(getComputedStyle(place.firstElementChild).fontSize);
    if (part < 1) wide.push([place.firstElementChild, 0.97 * part * size]);
  }
  for (const [element, size] of wide) element.style.fontSize = `${size}px`;
  const room = document.documentElement.clientWidth + 1;
  return [...document.querySelectorAll("body *:not(svg *)")].filter((each) => each.getBoundingClientRect().right > room)
    .map((each) => `${each.closest("article")?.dataset.name}: ${each.textContent.trim().slice(0, 60)}`);
}

// Leaves nothing but the numbers of the pages in the contents, each at its place.
function number(pages) {
  for (const each of document.querySelectorAll(".book-contents a"))
    each.querySelector(".number").textContent = pages[each.getAttribute("href").slice(1)];
  document.querySelectorAll(".title-page, article").forEach((each) => each.remove());
  document.documentElement.classList.add("numbers");
  document.head.append(make("style", {}, "@page { @bottom-center { content: none } }"));
}
