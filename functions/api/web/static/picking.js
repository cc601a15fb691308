// Files of a drop or a choice, with those of folders, each with its path.

/** Yield `{file, path}` of what was dropped; it must be called while the event is handled. */
export function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length) return Promise.all(entries.map(walked)).then((lists) => lists.flat());
  return Promise.resolve(chosen(transfer.files));
}

export function chosen(files) {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(isShown);
}

async function walked(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\/+/, "") }].filter(isShown);
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at once
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map(walked))).flat();
}

/** Hidden files, such as those that systems leave in folders, are nobody's frames. */
function isShown({ path }) {
  return !path.split("/").some((name) => name.startsWith("."));
}
