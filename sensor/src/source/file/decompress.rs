//! Undoes gzip and zstd in a thread of its own, because decoding costs several times what counting does.
//!
//! Whatever can be decoded in front of damage is handed on, to the byte for gzip and to the block for zstd. The
//! ready-made `Read` adapters of both libraries throw away what they had decoded in the call that failed, so this module
//! drives the decoders themselves.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::error::{Cause, Damage};
use super::format::Compression;
use super::input::Source;

const BUFFER: usize = 256 * 1024;
/// Buffers on their way: enough to ride out a slow moment of either side, few enough to stay in the cache.
const BUFFERS: usize = 4;
const RAW_BUFFER: usize = 128 * 1024;
/// The largest zstd window accepted: what the `zstd` tool takes without being told to take more.
const MAX_ZSTD_WINDOW: u64 = 1 << 27;
/// Header of an empty raw block that is the last one, then four bytes for a checksum.
const EMPTY_LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// The reading end. Dropping it ends the thread at its next buffer.
pub(super) struct Decompressor {
    compression: Compression,
    full: Receiver<Message>,
    empty: Sender<Vec<u8>>,
    current: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
}

impl Decompressor {
    pub(super) fn start(compression: Compression, source: Source) -> io::Result<Self> {
        let (full_sender, full) = sync_channel(BUFFERS);
        let (empty, empty_receiver) = channel();
        let sink = Sink {
            full: full_sender,
            empty: empty_receiver,
            buffer: vec![0; BUFFER],
            filled: 0,
        };
        thread::Builder::new()
            .name("decompress".into())
            .spawn(move || run(compression, source, sink))?;
        Ok(Self {
            compression,
            full,
            empty,
            current: Vec::new(),
            from: 0,
            to: 0,
            ended: false,
        })
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Cause> {
        while self.from >= self.to {
            if self.ended {
                return Ok(0);
            }
            self.receive()?;
        }
        let ready = self.current.get(self.from..self.to).unwrap_or_default();
        let n = ready.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.from += n;
        Ok(n)
    }

    fn receive(&mut self) -> Result<(), Cause> {
        match self.full.recv() {
            Ok(Message::Filled(buffer, filled)) => {
                let used = std::mem::replace(&mut self.current, buffer);
                self.from = 0;
                self.to = filled;
                if !used.is_empty() {
                    // The thread may be done and gone; then nobody needs the buffer.
                    let _ = self.empty.send(used);
                }
                Ok(())
            }
            Ok(Message::Ended(result)) => {
                self.ended = true;
                result
            }
            Err(_) => {
                self.ended = true;
                Err(damage(self.compression, "the decompressor broke down"))
            }
        }
    }
}

enum Message {
    Filled(Vec<u8>, usize),
    Ended(Result<(), Cause>),
}

/// The writing end: one buffer being filled.
struct Sink {
    full: SyncSender<Message>,
    empty: Receiver<Vec<u8>>,
    buffer: Vec<u8>,
    filled: usize,
}

/// Why a decoder stopped before its end.
enum Stop {
    /// Nobody reads any more.
    Gone,
    Failed(Cause),
}

impl Sink {
    /// Never empty: `commit` hands a full buffer on.
    fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    fn commit(&mut self, bytes: usize) -> Result<(), Stop> {
        self.filled = (self.filled + bytes).min(self.buffer.len());
        if self.filled == self.buffer.len() {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Stop> {
        if self.filled == 0 {
            return Ok(());
        }
        let next = self.empty.try_recv().unwrap_or_else(|_| vec![0; BUFFER]);
        let full = std::mem::replace(&mut self.buffer, next);
        let filled = std::mem::take(&mut self.filled);
        self.full
            .send(Message::Filled(full, filled))
            .map_err(|_| Stop::Gone)
    }
}

fn run(compression: Compression, source: Source, mut sink: Sink) {
    let mut source = BufReader::with_capacity(RAW_BUFFER, source);
    let result = match compression {
        Compression::Gzip => gunzip(&mut source, &mut sink),
        Compression::Zstd => unzstd(&mut source, &mut sink),
    };
    let result = match result {
        Ok(()) => Ok(()),
        Err(Stop::Gone) => return,
        Err(Stop::Failed(cause)) => match source.get_mut().take_failure() {
            Some(error) => Err(Cause::Io(error)),
            None => Err(cause),
        },
    };
    if sink.flush().is_ok() {
        // Nobody may be reading any more, and then nobody needs to know.
        let _ = sink.full.send(Message::Ended(result));
    }
}

/// All members of a gzip file, one after the other.
fn gunzip(source: &mut BufReader<Source>, sink: &mut Sink) -> Result<(), Stop> {
    let mut inflate = Decompress::new_gzip(15);
    let mut in_member = false;
    loop {
        if source.buffer().is_empty() {
            // The next read may block for long on a pipe: what is there should not wait for it.
            sink.flush()?;
        }
        let input = source.fill_buf().map_err(|e| Stop::Failed(Cause::Io(e)))?;
        if input.is_empty() {
            return if in_member {
                Err(failed(Compression::Gzip, "cut off"))
            } else {
                Ok(())
            };
        }
        let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, sink.room(), FlushDecompress::None);
        let consumed = count(in_before, inflate.total_in());
        let produced = count(out_before, inflate.total_out());
        source.consume(consumed);
        sink.commit(produced)?;
        match status {
            Ok(Status::StreamEnd) => {
                inflate.reset(true);
                in_member = false;
            }
            Ok(Status::Ok | Status::BufError) if consumed + produced > 0 => in_member = true,
            Ok(Status::Ok | Status::BufError) => {
                return Err(failed(Compression::Gzip, "the decoder makes no progress"));
            }
            Err(_) if in_member => return Err(failed(Compression::Gzip, "corrupt")),
            Err(_) => {
                return Err(failed(
                    Compression::Gzip,
                    "corrupt, or no gzip member where one should start",
                ));
            }
        }
    }
}

/// All frames of a zstd file, skippable ones left out.
fn unzstd(source: &mut BufReader<Source>, sink: &mut Sink) -> Result<(), Stop> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_ZSTD_WINDOW);
    loop {
        let input = source.fill_buf().map_err(|e| Stop::Failed(Cause::Io(e)))?;
        if input.is_empty() {
            return Ok(());
        }
        match decoder.reset(&mut *source) {
            Ok(()) => zstd_frame(&mut decoder, source, sink)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => skip(source, u64::from(length))?,
            Err(e) => return Err(failed(Compression::Zstd, &zstd_reason(&e))),
        }
    }
}

fn zstd_frame(
    decoder: &mut FrameDecoder,
    source: &mut BufReader<Source>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    while !decoder.is_finished() {
        let block = decoder.decode_blocks(&mut *source, BlockDecodingStrategy::UptoBlocks(1));
        if let Err(e) = block {
            // The decoder keeps a window of decoded bytes back for later blocks. There will be none: ending the frame
            // for it makes it let go of them.
            let _ =
                decoder.decode_blocks(&EMPTY_LAST_BLOCK[..], BlockDecodingStrategy::UptoBlocks(1));
            drain(decoder, sink)?;
            return Err(failed(Compression::Zstd, &zstd_reason(&e)));
        }
        drain(decoder, sink)?;
    }
    match decoder.get_checksum_from_data() {
        Some(sum) if decoder.get_calculated_checksum() != Some(sum) => Err(failed(
            Compression::Zstd,
            "the checksum of a frame is wrong",
        )),
        _ => Ok(()),
    }
}

/// The library's words are for its developers; the common case gets plain ones.
fn zstd_reason(error: &FrameDecoderError) -> String {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<io::Error>();
        if io.is_some_and(|e| e.kind() == io::ErrorKind::UnexpectedEof) {
            return "cut off".into();
        }
        cause = inner.source();
    }
    format!("corrupt ({error})")
}

fn drain(decoder: &mut FrameDecoder, sink: &mut Sink) -> Result<(), Stop> {
    while decoder.can_collect() > 0 {
        let bytes = decoder
            .read(sink.room())
            .map_err(|e| Stop::Failed(Cause::Io(e)))?;
        if bytes == 0 {
            break;
        }
        sink.commit(bytes)?;
    }
    Ok(())
}

fn skip(source: &mut BufReader<Source>, length: u64) -> Result<(), Stop> {
    let skipped = io::copy(&mut source.take(length), &mut io::sink())
        .map_err(|e| Stop::Failed(Cause::Io(e)))?;
    if skipped < length {
        return Err(failed(Compression::Zstd, "a skippable frame is cut off"));
    }
    Ok(())
}

fn count(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

fn failed(compression: Compression, reason: &str) -> Stop {
    Stop::Failed(damage(compression, reason))
}

fn damage(compression: Compression, reason: &str) -> Cause {
    Cause::Damage(Damage::Compressed {
        compression,
        // The libraries' messages are not ours: keep them to one line.
        reason: reason.replace(char::is_control, " ").into(),
    })
}
