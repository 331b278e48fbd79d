// Keeps values in this browser; a value that lasts 0 seconds is removed.

export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  for (const [name, value, lasts] of data.cookies) {
    document.cookie = `${name}=${value}; path=/; max-age=${lasts}; SameSite=Strict${secure}`;
  }
}
