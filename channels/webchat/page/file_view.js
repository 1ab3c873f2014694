// A message's files: pictures in place, whatever else as a button that saves it. Names go in as text.

const size = (bytes) =>
  bytes < 1 << 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`;

export class FileView {
  constructor(document, { onSave, picture, onShown }) {
    Object.assign(this, { document, onSave, picture, onShown });
  }

  // What stands in a message; without `id` it is still on its way.
  element(file, t) {
    const button = this.document.createElement("button");
    button.type = "button";
    button.className = "file";
    button.disabled = !file.id;
    const name = this.document.createElement("span");
    name.className = "file-name";
    name.textContent = file.name;
    const length = this.document.createElement("span");
    length.className = "quiet";
    length.textContent = size(file.size);
    button.append(name, length);
    if (file.id) {
      button.title = t("save", { name: file.name });
      button.addEventListener("click", () => this.onSave(file));
      if (file.image) this.show(button, file);
    }
    return button;
  }

  // A picture that cannot be had stays what it is, a file to save.
  async show(button, file) {
    try {
      const image = this.document.createElement("img");
      image.alt = file.name;
      image.src = await this.picture(file);
      await image.decode();
      button.classList.add("picture");
      button.replaceChildren(image);
      this.onShown();
    } catch {
      button.classList.remove("picture");
    }
  }
}

// What was dropped on the page, or pasted: files, if there are some.
export const filesOf = (transfer) => [...(transfer?.files ?? [])];
