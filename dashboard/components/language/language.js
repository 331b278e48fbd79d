// Tells screen readers in which language the page is, and remembers a choice of it in this browser.

// Streamlit's list of pages has headings between its items, which no list may have: it is read as links under headings.
function mendNavigation() {
  const list = document.querySelector("[data-testid=stSidebarNavItems]");
  if (!list) return;
  for (const part of [list, ...list.querySelectorAll("ul, li")]) {
    if (part.getAttribute("role") !== "none") part.setAttribute("role", "none");
  }
}

export default function ({ data }) {
  if (!window.pronlabNavigation) {
    window.pronlabNavigation = new MutationObserver(mendNavigation);
    window.pronlabNavigation.observe(document.body, { childList: true, subtree: true });
  }
  mendNavigation();
  document.documentElement.lang = data.language;
  if (data.cookie) {
    document.cookie = `${data.cookie}=${data.language}; path=/; max-age=31536000; SameSite=Lax`;
  }
}
