//! Deflate (RFC 1951) of what is large, by several threads at once.
//!
//! Data is cut into pieces. Each is compressed by itself, with the end of the one before as its dictionary,
//! up to a byte boundary; one after the other they are a deflate stream as any other.
//!
//! Invariant: what comes out depends on the data only, neither on how many threads there are nor on how the
//! data was handed over.

use std::io::{self, Write};
use std::mem;
use std::num::NonZero;
use std::thread;

use flate2::{Compress, Compression, FlushCompress, Status};

/// How many bytes are compressed by themselves: at 1 MiB the seams cost a ten thousandth.
const PIECE: usize = 1 << 20;
/// How far deflate looks back.
const WINDOW: usize = 1 << 15;
/// More threads than this wait for the disk.
const THREADS: usize = 16;

/// Compresses what is written to it, into `W`.
pub(crate) struct Deflate<W> {
    inner: W,
    level: u32,
    /// Whole pieces that wait for others.
    waiting: Vec<Vec<u8>>,
    /// The piece that is being filled.
    piece: Vec<u8>,
    /// The end of what was compressed last.
    before: Vec<u8>,
    threads: usize,
}

impl<W: Write> Deflate<W> {
    pub(crate) fn new(inner: W, level: u32) -> Self {
        // In WebAssembly there are no threads, and none are counted.
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS);
        Self::with_threads(inner, level, threads)
    }

    fn with_threads(inner: W, level: u32, threads: usize) -> Self {
        let (waiting, piece, before) = (Vec::new(), Vec::new(), Vec::new());
        Self { inner, level, waiting, piece, before, threads }
    }

    /// Writes the end, and gives the output back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let last = mem::take(&mut self.piece);
        self.waiting.push(last);
        self.compress(FlushCompress::Finish)?;
        Ok(self.inner)
    }

    /// Compresses the pieces that wait. `end` is how the last of them ends.
    fn compress(&mut self, end: FlushCompress) -> io::Result<()> {
        let pieces = mem::take(&mut self.waiting);
        let level = self.level;
        let tasks: Vec<(&[u8], &[u8], FlushCompress)> = (0..pieces.len())
            .map(|at| {
                let before = if at == 0 { &self.before } else { &pieces[at - 1] };
                let is_last = at + 1 == pieces.len();
                (tail(before), &*pieces[at], if is_last { end } else { FlushCompress::Sync })
            })
            .collect();
        let Some(((first, others), last)) = tasks.split_first().zip(pieces.last()) else {
            return Ok(());
        };
        let compressed = thread::scope(|scope| {
            let others: Vec<_> =
                others.iter().map(|task| scope.spawn(|| compressed(level, *task))).collect();
            let mut all = vec![compressed(level, *first)];
            all.extend(others.into_iter().map(|other| match other.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }));
            all
        });
        for piece in compressed {
            self.inner.write_all(&piece?)?;
        }
        self.before = tail(last).to_owned();
        Ok(())
    }
}

impl<W: Write> Write for Deflate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE {
            let next = Vec::with_capacity(PIECE);
            self.waiting.push(mem::replace(&mut self.piece, next));
            if self.waiting.len() == self.threads {
                self.compress(FlushCompress::Sync)?;
            }
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// What is compressed stays whole: nothing is written before its time.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn tail(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(WINDOW)..]
}

/// A piece, with what was before it and how it ends.
fn compressed(
    level: u32,
    (before, piece, end): (&[u8], &[u8], FlushCompress),
) -> io::Result<Vec<u8>> {
    let mut deflate = Compress::new(Compression::new(level), false);
    if !before.is_empty() {
        deflate.set_dictionary(before)?;
    }
    let mut output = Vec::with_capacity(piece.len() / 2 + 64);
    loop {
        let (taken, made) = (deflate.total_in() as usize, output.len());
        let status = deflate.compress_vec(&piece[taken..], &mut output, end)?;
        // A flush is done when there was room for more.
        let is_done = match end {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => deflate.total_in() as usize == piece.len() && output.len() < output.capacity(),
        };
        if is_done {
            return Ok(output);
        }
        if output.len() == made && output.len() < output.capacity() {
            return Err(io::Error::other("deflate makes no progress"));
        }
        output.reserve(piece.len() / 2 + 64);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;

    use super::*;

    /// Data that can be compressed, but not to nothing.
    fn data(size: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..size).map(|at| if at % 3 == 0 { next() } else { (at / 1000) as u8 }).collect()
    }

    fn deflated(data: &[u8], threads: usize, step: usize) -> Vec<u8> {
        let mut deflate = Deflate::with_threads(Vec::new(), 6, threads);
        for part in data.chunks(step) {
            deflate.write_all(part).unwrap();
        }
        deflate.finish().unwrap()
    }

    fn inflated(bytes: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        let mut decoder = DeflateDecoder::new(bytes);
        decoder.read_to_end(&mut data).unwrap();
        assert_eq!(decoder.total_in() as usize, bytes.len(), "nothing follows the end");
        data
    }

    #[test]
    fn the_seams_are_right() {
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17] {
            let data = data(size);
            let bytes = deflated(&data, 2, 70_000);
            assert!(inflated(&bytes) == data, "{size}");
        }
    }

    #[test]
    fn threads_and_writes_make_no_difference() {
        let data = data(5 * PIECE + 4711);
        let one = deflated(&data, 1, data.len());
        for (threads, step) in [(2, 1 << 16), (3, 999_999), (16, 1 << 22)] {
            assert!(deflated(&data, threads, step) == one, "{threads} threads");
        }
    }

    #[test]
    fn pieces_cost_next_to_nothing() {
        let data = data(4 * PIECE);
        let mut whole = DeflateEncoder::new(Vec::new(), Compression::new(6));
        whole.write_all(&data).unwrap();
        let whole = whole.finish().unwrap().len();
        let pieces = deflated(&data, 2, PIECE).len();
        assert!(pieces < whole + whole / 1000, "{pieces} to {whole}");
    }

    proptest! {
        #[test]
        fn it_comes_back(data in prop::collection::vec(any::<u8>(), 0..5000)) {
            prop_assert_eq!(inflated(&deflated(&data, 2, 100)), data);
        }
    }
}
