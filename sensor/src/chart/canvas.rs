//! A plotters backend over tiny-skia.
//!
//! Plotters' own bitmap backend neither smooths polygons nor places letters right. Its coordinates are whole numbers
//! everywhere, so this backend says it is [`UNITS`] times as large as the picture: fine enough that a circle made of them is round.

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle,
};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

use super::font;
use super::frame::{Drawn, Frame, Size};

/// Plotters' units in one logical pixel.
pub(super) const UNITS: i32 = 16;
/// Pixels of the file in one logical pixel: sharp on screens of today.
pub(super) const PIXELS: u32 = 2;
const SCALE: f32 = PIXELS as f32 / UNITS as f32;

/// The file that `draw` makes of an empty picture.
pub(super) fn png(size: Size, draw: impl FnOnce(&Frame) -> Drawn) -> Result<Vec<u8>, String> {
    let mut pixmap = Pixmap::new(size.width * PIXELS, size.height * PIXELS)
        .ok_or_else(|| format!("{} x {} pixels are too many", size.width, size.height))?;
    pixmap.fill(Color::WHITE);
    let frame = Frame::new(Canvas {
        pixmap: &mut pixmap,
    });
    draw(&frame).map_err(|error| error.to_string())?;
    drop(frame);
    pixmap.encode_png().map_err(|error| error.to_string())
}

pub(super) struct Canvas<'a> {
    pixmap: &'a mut Pixmap,
}

/// Drawing into memory can't fail.
type Never = std::convert::Infallible;
type Done = Result<(), DrawingErrorKind<Never>>;

impl Canvas<'_> {
    fn fill(&mut self, path: Option<Path>, color: BackendColor) {
        if let Some(path) = path {
            let (rule, same) = (FillRule::Winding, Transform::identity());
            self.pixmap
                .fill_path(&path, &paint(color), rule, same, None);
        }
    }

    fn stroke(&mut self, path: Option<Path>, style: &impl BackendStyle) {
        let stroke = Stroke {
            width: style.stroke_width() as f32 * SCALE,
            line_cap: LineCap::Butt,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(path) = path {
            let paint = paint(style.color());
            let same = Transform::identity();
            self.pixmap.stroke_path(&path, &paint, &stroke, same, None);
        }
    }
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Never;

    fn get_size(&self) -> (u32, u32) {
        let units = |pixels: u32| pixels / PIXELS * UNITS as u32;
        (units(self.pixmap.width()), units(self.pixmap.height()))
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Done {
        let rect = rect((x, y), (x + 1, y + 1));
        self.fill(rect.map(PathBuilder::from_rect), color);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, a: BackendCoord, b: BackendCoord, style: &S) -> Done {
        self.stroke(polyline([a, b], false), style);
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Done {
        let path = rect(a, b).map(PathBuilder::from_rect);
        match fill {
            true => self.fill(path, style.color()),
            false => self.stroke(path, style),
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        self.stroke(polyline(path, false), style);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Done {
        let (x, y) = pixels(center);
        let path = PathBuilder::from_circle(x, y, radius as f32 * SCALE);
        match fill {
            true => self.fill(path, style.color()),
            false => self.stroke(path, style),
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Done {
        self.fill(polyline(corners, true), style.color());
        Ok(())
    }

    /// Never rotated: no chart here does that.
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let (em, bold) = (em(style) * SCALE, is_bold(style));
        let (x, y) = pixels(at);
        let width = font::width(text, bold) * em;
        let x = match style.anchor().h_pos {
            HPos::Left => x,
            HPos::Center => x - width / 2.0,
            HPos::Right => x - width,
        };
        // Centred are the capitals and figures, not the box that has room for descenders.
        let baseline = match style.anchor().v_pos {
            VPos::Top => y + em,
            VPos::Center => y + em * font::CAP_HEIGHT / 2.0,
            VPos::Bottom => y - em * 0.25,
        };
        self.fill(font::outline(text, bold, em, (x, baseline)), style.color());
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Never>> {
        let em = em(style);
        let width = font::width(text, is_bold(style)) * em;
        Ok((width.ceil() as u32, (em * 1.24).ceil() as u32))
    }
}

/// Plotters' size of a font is its line height.
fn em(style: &impl BackendTextStyle) -> f32 {
    (style.size() / 1.24) as f32
}

fn is_bold(style: &impl BackendTextStyle) -> bool {
    matches!(style.style(), FontStyle::Bold)
}

fn paint(color: BackendColor) -> Paint<'static> {
    let (r, g, b) = color.rgb;
    let alpha = (color.alpha.clamp(0.0, 1.0) * 255.0).round() as u8;
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, alpha);
    paint
}

fn pixels((x, y): BackendCoord) -> (f32, f32) {
    (x as f32 * SCALE, y as f32 * SCALE)
}

fn rect(a: BackendCoord, b: BackendCoord) -> Option<Rect> {
    let ((left, top), (right, bottom)) = (pixels(a), pixels(b));
    Rect::from_ltrb(
        left.min(right),
        top.min(bottom),
        left.max(right),
        top.max(bottom),
    )
}

fn polyline(points: impl IntoIterator<Item = BackendCoord>, closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for point in points {
        let (x, y) = pixels(point);
        match path.is_empty() {
            true => path.move_to(x, y),
            false => path.line_to(x, y),
        }
    }
    if closed {
        path.close();
    }
    path.finish()
}
