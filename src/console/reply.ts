/** Reading replies of RESP2, as the console's own questions get them. */
export type Reply = string | number | null | Refusal | Reply[];

/** An error reply. */
export class Refusal {
  constructor(readonly message: string) {}
}

const CR = 13;

/** Collects bytes; `next` gives a reply when one is whole. Texts are UTF-8. */
export class Replies {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  feed(chunk: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
  }

  next(): Reply | undefined {
    this.at = 0;
    const reply = this.read();
    if (reply !== undefined) this.bytes = this.bytes.subarray(this.at);
    return reply;
  }

  private read(): Reply | undefined {
    const end = this.bytes.indexOf(CR, this.at);
    if (end < 0 || end + 2 > this.bytes.length) return undefined;
    const kind = String.fromCharCode(this.bytes[this.at]!);
    const text = this.bytes.toString("utf8", this.at + 1, end);
    this.at = end + 2;
    switch (kind) {
      case "+":
        return text;
      case "-":
        return new Refusal(text);
      case ":":
        return Number(text);
      case "$":
        return this.bulk(Number(text));
      default:
        return this.array(Number(text));
    }
  }

  private bulk(length: number): string | null | undefined {
    if (length < 0) return null;
    const { at } = this;
    if (at + length + 2 > this.bytes.length) return undefined;
    this.at += length + 2;
    return this.bytes.toString("utf8", at, at + length);
  }

  private array(count: number): Reply[] | null | undefined {
    if (count < 0) return null;
    const items: Reply[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.read();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}
