//! A plotters backend that writes down what is drawn.
//!
//! Plotters' own bitmap backend neither smooths polygons nor places letters right, and its SVG has whole pixels only.
//! Its coordinates are whole numbers everywhere, so this backend says it is [`UNITS`] times as large as the picture:
//! fine enough that a circle made of them is round.

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle,
};

use super::font;
use super::scene::{Anchor, Circle, Path, Pen, Point, Rgba, Scene, Shape, Text};
use crate::escape;

/// Plotters' units in one logical pixel.
pub(super) const UNITS: i32 = 10;
const SCALE: f32 = 1.0 / UNITS as f32;

pub(super) struct Canvas<'a> {
    pub(super) scene: &'a mut Scene,
}

/// Drawing into memory can't fail.
type Never = std::convert::Infallible;
type Done = Result<(), DrawingErrorKind<Never>>;

impl Canvas<'_> {
    fn path(&mut self, points: Vec<Point>, pen: Pen, color: BackendColor) -> Done {
        let color = rgba(color);
        if color.alpha > 0.0 && points.len() > 1 {
            let path = Path { points, pen, color };
            self.scene.shapes.push(Shape::Path(path));
        }
        Ok(())
    }
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Never;

    fn get_size(&self) -> (u32, u32) {
        let units = |pixels: u32| pixels * UNITS as u32;
        (units(self.scene.width), units(self.scene.height))
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Done {
        self.path(rect((x, y), (x + 1, y + 1)), Pen::Fill, color)
    }

    fn draw_line<S: BackendStyle>(&mut self, a: BackendCoord, b: BackendCoord, style: &S) -> Done {
        self.draw_path([a, b], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Done {
        let mut corners = rect(a, b);
        if fill {
            return self.path(corners, Pen::Fill, style.color());
        }
        corners.push(corners[0]);
        self.path(corners, stroke(style), style.color())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        let points = path.into_iter().map(point).collect();
        self.path(points, stroke(style), style.color())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        _: bool,
    ) -> Done {
        self.scene.shapes.push(Shape::Circle(Circle {
            center: point(center),
            radius: radius as f32 * SCALE,
            color: rgba(style.color()),
        }));
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Done {
        let points = corners.into_iter().map(point).collect();
        self.path(points, Pen::Fill, style.color())
    }

    /// Never rotated: no chart here does that.
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let em = em(style) * SCALE;
        let (x, y) = point(at);
        // Centred are the capitals and figures, not the box that has room for descenders.
        let baseline = match style.anchor().v_pos {
            VPos::Top => y + em,
            VPos::Center => y + em * font::CAP_HEIGHT / 2.0,
            VPos::Bottom => y - em * 0.25,
        };
        self.scene.shapes.push(Shape::Text(Text {
            at: (x, baseline),
            anchor: match style.anchor().h_pos {
                HPos::Left => Anchor::Start,
                HPos::Center => Anchor::Middle,
                HPos::Right => Anchor::End,
            },
            em,
            bold: is_bold(style),
            color: rgba(style.color()),
            text: escape::text(text),
        }));
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

fn stroke(style: &impl BackendStyle) -> Pen {
    Pen::Stroke(style.stroke_width() as f32 * SCALE)
}

fn rgba(color: BackendColor) -> Rgba {
    Rgba {
        rgb: color.rgb,
        alpha: color.alpha.clamp(0.0, 1.0) as f32,
    }
}

fn point((x, y): BackendCoord) -> Point {
    (x as f32 * SCALE, y as f32 * SCALE)
}

fn rect(a: BackendCoord, b: BackendCoord) -> Vec<Point> {
    let ((left, top), (right, bottom)) = (point(a), point(b));
    vec![(left, top), (right, top), (right, bottom), (left, bottom)]
}
