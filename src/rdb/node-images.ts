import { StreamId } from "../encodings/stream-id.ts";

/** A node of a stream or an array that has changed since a snapshot began, as it was. */
export interface NodeImage {
  readonly id: StreamId;
  readonly bytes: Uint8Array;
}

/** Such nodes in the order of their IDs, until they are written. */
export class NodeImages {
  private readonly images: NodeImage[] = [];
  /** Those before it are done with. */
  private at = 0;

  /** The first one that is not written yet. */
  get first(): NodeImage | undefined {
    return this.images[this.at];
  }

  /** The first one has been written. */
  drop(): void {
    this.at++;
  }

  /** Where an image of this node would be kept, for `put`; -1 where there is one: only the oldest counts. */
  placeFor(id: StreamId): number {
    const { images } = this;
    let low = this.at;
    let high = images.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (images[middle]!.id.compare(id) < 0) low = middle + 1;
      else high = middle;
    }
    return low < images.length && images[low]!.id.compare(id) === 0 ? -1 : low;
  }

  /** Keeps an image, whose bytes then belong to it. */
  put(place: number, id: StreamId, bytes: Uint8Array): void {
    this.images.splice(place, 0, { id: new StreamId().copy(id), bytes });
  }
}
