// SPDX-License-Identifier: AGPL-3.0-or-later
// The QR code in a photo. Bytes, not text: a slip is a signed note and may not be converted. Loaded only
// when a picture is dropped (128 KB, 46 KB compressed).
import jsQR from 'jsqr';

const SIZES = [1000, 1600, 640, 2400]; // the longer side, tried in turn
const MOST_PIXELS = 100e6;

interface Detector {
  detect(image: ImageBitmap): Promise<{ rawValue: string }[]>;
}

/** A browser's own reader gives text: enough when nothing else finds the code. */
async function ownReader(image: ImageBitmap): Promise<Uint8Array | null> {
  const Own = (globalThis as { BarcodeDetector?: new (o: { formats: string[] }) => Detector }).BarcodeDetector;
  if (!Own) return null;
  try {
    const [first] = await new Own({ formats: ['qr_code'] }).detect(image);
    return first ? new TextEncoder().encode(first.rawValue) : null;
  } catch {
    return null;
  }
}

function pixels(image: ImageBitmap, longer: number): ImageData | null {
  const scale = Math.min(1, longer / Math.max(image.width, image.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const c = canvas.getContext('2d', { willReadFrequently: true });
  c?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return c?.getImageData(0, 0, canvas.width, canvas.height) ?? null;
}

export async function readQr(file: Blob): Promise<Uint8Array | null> {
  let image: ImageBitmap;
  try {
    image = await createImageBitmap(file);
  } catch {
    return null;
  }
  try {
    if (image.width * image.height > MOST_PIXELS) return null;
    for (const size of SIZES) {
      const p = pixels(image, size);
      const found = p && jsQR(p.data, p.width, p.height);
      if (found) return Uint8Array.from(found.binaryData);
    }
    return await ownReader(image);
  } finally {
    image.close();
  }
}
