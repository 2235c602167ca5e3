// The player knows its viewer for as long as it is open. A site that embeds it could never delete
// this cookie, which is not its own: so a decent player cleans up behind itself.
// `Partitioned`: also where browsers refuse third-party cookies.
const attributes = "path=/; SameSite=None; Secure; Partitioned";
document.cookie = `_video_id=${crypto.randomUUID()}; ${attributes}`;
addEventListener("pagehide", () => {
  document.cookie = `_video_id=; max-age=0; ${attributes}`;
});

document.querySelector("button").addEventListener("click", (event) => {
  const playing = document.body.classList.toggle("playing");
  event.currentTarget.setAttribute("aria-pressed", String(playing));
});
