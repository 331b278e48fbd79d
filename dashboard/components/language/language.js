// Remembers the visitor's language in this browser, and tells screen readers in which language the page is.
export default function ({ data }) {
  document.cookie = `${data.cookie}=${data.language}; path=/; max-age=31536000; SameSite=Lax`;
  document.documentElement.lang = data.language;
}
