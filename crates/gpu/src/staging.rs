//! Reads results back from the GPU.

use crate::device::Device;
use crate::error::GpuError;
use futures_channel::oneshot;
use std::cell::RefCell;
use wgpu::{Buffer, BufferUsages, CommandEncoder, MapMode, PollType};

/// Buffers that the CPU can read, used in turn: one per pending answer.
#[derive(Debug)]
pub(crate) struct Staging {
    /// Size of a usual answer, in values.
    values: usize,
    free: RefCell<Vec<Buffer>>,
}

impl Staging {
    /// For answers of usually at most this many values; a larger one gets its own buffer.
    pub(crate) fn new(values: usize) -> Self {
        Self {
            values,
            free: RefCell::new(Vec::new()),
        }
    }

    /// Runs `commands`, then copies the first values of these buffers, one after the other, and waits for them.
    pub(crate) async fn read(
        &self,
        device: &Device,
        mut commands: CommandEncoder,
        sources: &[(&Buffer, usize)],
    ) -> Result<Vec<u32>, GpuError> {
        let needed: usize = sources.iter().map(|(_, values)| values).sum();
        let usual = needed <= self.values;
        let free = usual.then(|| self.free.borrow_mut().pop()).flatten();
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = free.unwrap_or_else(|| device.buffer(needed.max(self.values), usage));
        let mut end = 0;
        for &(source, values) in sources {
            let size = 4 * values as u64;
            commands.copy_buffer_to_buffer(source, 0, &staging, end, size);
            end += size;
        }
        device.queue.submit([commands.finish()]);
        let (done, mapped) = oneshot::channel();
        staging.map_async(MapMode::Read, ..end, move |result| {
            // The receiver is gone if the call was cancelled.
            let _ = done.send(result);
        });
        // In a browser the callback is called without polling.
        let polled = device.handle.poll(PollType::wait_indefinitely());
        polled.map_err(|error| GpuError::Lost(error.to_string()))?;
        let mapped = mapped.await;
        device.sound()?;
        let lost = |error: &dyn std::fmt::Display| GpuError::Lost(error.to_string());
        mapped
            .map_err(|error| lost(&error))?
            .map_err(|error| lost(&error))?;
        let view = staging
            .get_mapped_range(..end)
            .map_err(|error| lost(&error))?;
        let values = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        staging.unmap();
        if usual {
            self.free.borrow_mut().push(staging);
        }
        Ok(values)
    }
}
