//! Pictures of the window that are small enough to be kept in a repository.

use std::collections::HashMap;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter};

/// As many as one byte names.
const COLOURS: usize = 256;

type Colour = [u8; 3];

/// The same picture with the colours that occur most; the others, which are the edges of letters, get the
/// nearest of them. A third of the size, and plain areas stay exactly as they are.
pub(super) fn small(picture: &[u8]) -> Vec<u8> {
    let mut reader = Decoder::new(std::io::Cursor::new(picture))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let pixels: Vec<Colour> = bytes[..frame.buffer_size()]
        .chunks_exact(frame.color_type.samples())
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();

    let mut counts: HashMap<Colour, usize> = HashMap::new();
    for pixel in &pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut colours: Vec<Colour> = counts.keys().copied().collect();
    colours.sort_unstable_by_key(|colour| (std::cmp::Reverse(counts[colour]), *colour));
    let palette = &colours[..colours.len().min(COLOURS)];
    let names: HashMap<Colour, u8> = colours
        .iter()
        .map(|colour| (*colour, nearest(palette, *colour)))
        .collect();
    let named: Vec<u8> = pixels.iter().map(|pixel| names[pixel]).collect();

    let mut small = Vec::new();
    let mut encoder = Encoder::new(&mut small, frame.width, frame.height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(Compression::High);
    // Names of colours have no slopes that a filter could flatten.
    encoder.set_filter(Filter::NoFilter);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&named).unwrap();
    writer.finish().unwrap();
    small
}

fn nearest(palette: &[Colour], colour: Colour) -> u8 {
    let far = |other: &Colour| -> u32 {
        let channels = other.iter().zip(colour);
        channels.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let best = (0..palette.len()).min_by_key(|place| far(&palette[*place]));
    u8::try_from(best.unwrap()).unwrap()
}
