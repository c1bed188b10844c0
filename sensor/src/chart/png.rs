//! A scene as pixels.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform,
};

use super::font;
use super::scene::{Pen, Point, Rgba, Scene, Shape};

/// Pixels of an inch at which a logical pixel is one of the file.
pub(super) const PLAIN_DPI: u32 = 96;
/// Of one picture: 400 MB of memory.
const MOST_PIXELS: u64 = 100_000_000;

/// Width and height of the picture.
pub(super) fn pixels(width: u32, height: u32, dpi: u32) -> (u32, u32) {
    let scaled = |logical: u32| {
        let pixels = (u64::from(logical) * u64::from(dpi)).div_ceil(u64::from(PLAIN_DPI));
        u32::try_from(pixels).unwrap_or(u32::MAX)
    };
    (scaled(width), scaled(height))
}

pub(super) fn check((width, height): (u32, u32)) -> Result<(), String> {
    match u64::from(width) * u64::from(height) {
        ..=MOST_PIXELS => Ok(()),
        _ => Err(format!(
            "PNG of {width}x{height} pixels is too large: lower --chart-size or --chart-dpi, or choose --chart-format svg"
        )),
    }
}

pub(super) fn encode(scene: &Scene, dpi: u32) -> Result<Vec<u8>, String> {
    let (width, height) = pixels(scene.width, scene.height, dpi);
    check((width, height))?;
    let mut pixmap = Pixmap::new(width, height)
        .ok_or_else(|| format!("{width}x{height} pixels are no picture"))?;
    let paper = scene.paper;
    pixmap.fill(Color::from_rgba8(paper.0, paper.1, paper.2, 255));
    let scale = dpi as f32 / PLAIN_DPI as f32;
    for shape in &scene.shapes {
        draw(&mut pixmap, shape, scale);
    }
    let png = pixmap.encode_png().map_err(|error| error.to_string())?;
    Ok(with_resolution(png, dpi))
}

fn draw(pixmap: &mut Pixmap, shape: &Shape, scale: f32) {
    match shape {
        Shape::Path(path) => match path.pen {
            Pen::Fill => fill(pixmap, joined(&path.points, true, scale), path.color),
            Pen::Stroke(width) => {
                let stroke = Stroke {
                    width: width * scale,
                    line_cap: LineCap::Butt,
                    line_join: LineJoin::Round,
                    ..Stroke::default()
                };
                let (paint, same) = (paint(path.color), Transform::identity());
                if let Some(path) = joined(&path.points, false, scale) {
                    pixmap.stroke_path(&path, &paint, &stroke, same, None);
                }
            }
        },
        Shape::Circle(circle) => {
            let (x, y) = circle.center;
            let path = PathBuilder::from_circle(x * scale, y * scale, circle.radius * scale);
            fill(pixmap, path, circle.color);
        }
        Shape::Text(text) => {
            let origin = (text.left() * scale, text.at.1 * scale);
            let outline = font::outline(&text.text, text.bold, text.em * scale, origin);
            fill(pixmap, outline, text.color);
        }
    }
}

fn fill(pixmap: &mut Pixmap, path: Option<Path>, color: Rgba) {
    if let Some(path) = path {
        let (rule, same) = (FillRule::Winding, Transform::identity());
        pixmap.fill_path(&path, &paint(color), rule, same, None);
    }
}

fn paint(color: Rgba) -> Paint<'static> {
    let (r, g, b) = color.rgb;
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, (color.alpha * 255.0).round() as u8);
    paint
}

fn joined(points: &[Point], closed: bool, scale: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (x, y) in points {
        match path.is_empty() {
            true => path.move_to(x * scale, y * scale),
            false => path.line_to(x * scale, y * scale),
        }
    }
    if closed {
        path.close();
    }
    path.finish()
}

/// Says how large a pixel is (the `pHYs` chunk), so that a printed chart has the size it was asked to have.
fn with_resolution(png: Vec<u8>, dpi: u32) -> Vec<u8> {
    // Signature, and the first chunk, which always is the 13 bytes of the header.
    const AFTER_HEADER: usize = 8 + 12 + 13;
    let Some((head, rest)) = png.split_at_checked(AFTER_HEADER) else {
        return png;
    };
    let per_meter = (f64::from(dpi) / 0.0254).round() as u32;
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_meter.to_be_bytes());
    chunk.extend(per_meter.to_be_bytes());
    chunk.push(1); // meters
    let length = (chunk.len() - 4) as u32;
    let sum = crc32(&chunk);
    [
        head,
        &length.to_be_bytes(),
        &chunk,
        &sum.to_be_bytes(),
        rest,
    ]
    .concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |sum: u32, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
    let byte = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), bit);
    !bytes.iter().fold(u32::MAX, byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_png() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
    }

    #[test]
    fn a_picture_that_is_too_large_is_refused() {
        let scene = Scene {
            width: 4000,
            height: 4000,
            paper: plotters::style::RGBColor(1, 2, 3),
            title: String::new(),
            shapes: Vec::new(),
        };
        let error = encode(&scene, 480).unwrap_err();
        assert!(error.starts_with("PNG of 20000x20000 pixels is too large"));
    }

    #[test]
    fn pixels_follow_the_dots_per_inch() {
        assert_eq!(pixels(900, 420, 96), (900, 420));
        assert_eq!(pixels(900, 420, 192), (1800, 840));
        assert_eq!(pixels(901, 1, 48), (451, 1));
    }
}
