// Tells screen readers in which language the page is, and remembers a choice of it in this browser.
export default function ({ data }) {
  document.documentElement.lang = data.language;
  if (data.cookie) {
    document.cookie = `${data.cookie}=${data.language}; path=/; max-age=31536000; SameSite=Lax`;
  }
}
