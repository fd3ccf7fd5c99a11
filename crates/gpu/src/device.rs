//! Opens the GPU, fills its buffers, and reports its errors.

use crate::error::GpuError;
use std::sync::{Arc, OnceLock};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferDescriptor, BufferUsages,
    ComputePipeline, ComputePipelineDescriptor, DeviceDescriptor, ErrorFilter, Instance,
    InstanceDescriptor, Limits, RequestAdapterOptions, ShaderModuleDescriptor, ShaderSource,
};

/// An open GPU.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) handle: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    /// The first error, if there was one.
    fault: Arc<OnceLock<String>>,
}

impl Device {
    /// Opens the GPU that the system prefers.
    pub(crate) async fn open() -> Result<Self, GpuError> {
        let unavailable = |error: &dyn std::fmt::Display| GpuError::Unavailable(error.to_string());
        let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
        let adapter = (instance
            .request_adapter(&RequestAdapterOptions::default())
            .await)
            .map_err(|error| unavailable(&error))?;
        let offered = adapter.limits();
        let wanted = DeviceDescriptor {
            // The default limits, and buffers as large as this GPU allows.
            required_limits: Limits {
                max_buffer_size: offered.max_buffer_size,
                max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
                max_compute_workgroup_storage_size: offered.max_compute_workgroup_storage_size,
                ..Limits::default()
            },
            ..DeviceDescriptor::default()
        };
        let (device, queue) =
            (adapter.request_device(&wanted).await).map_err(|error| unavailable(&error))?;
        let fault = Arc::new(OnceLock::new());
        let [first, second] = [Arc::clone(&fault), Arc::clone(&fault)];
        device.set_device_lost_callback(move |reason, message| {
            let _ = first.set(format!("it was lost ({reason:?}) {message}"));
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let _ = second.set(error.to_string());
        }));
        Ok(Self {
            handle: device,
            queue,
            fault,
        })
    }

    /// Size of the largest buffer that a kernel can read, in bytes.
    pub(crate) fn largest(&self) -> u64 {
        let limits = self.handle.limits();
        limits
            .max_buffer_size
            .min(limits.max_storage_buffer_binding_size)
    }

    /// A zeroed buffer of `values` numbers of four bytes.
    pub(crate) fn buffer(&self, values: usize, usage: BufferUsages) -> Buffer {
        self.handle.create_buffer(&BufferDescriptor {
            label: None,
            size: 4 * values.max(4) as u64,
            usage,
            mapped_at_creation: false,
        })
    }

    /// A buffer of these numbers that kernels can read.
    pub(crate) fn filled<T: bytemuck::Pod>(&self, values: &[T]) -> Buffer {
        let buffer = self.buffer(
            size_of_val(values) / 4,
            BufferUsages::STORAGE | BufferUsages::COPY_DST,
        );
        self.write(&buffer, 0, values);
        buffer
    }

    /// Writes numbers from value `at` on, after all work submitted before and before all work submitted later.
    pub(crate) fn write<T: bytemuck::Pod>(&self, buffer: &Buffer, at: usize, values: &[T]) {
        (self.queue).write_buffer(buffer, 4 * at as u64, bytemuck::cast_slice(values));
    }

    /// The entry points of a shader, with constants put in front of its source.
    pub(crate) fn pipelines<const N: usize>(
        &self,
        constants: &[(&str, usize)],
        shader: &str,
        entries: [&str; N],
    ) -> [ComputePipeline; N] {
        let constants = constants
            .iter()
            .map(|(name, value)| format!("const {name}: u32 = {value}u;\n"));
        let source = constants.collect::<String>() + shader;
        let module = self.handle.create_shader_module(ShaderModuleDescriptor {
            label: Some(entries[0]),
            source: ShaderSource::Wgsl(source.into()),
        });
        entries.map(|entry| {
            let descriptor = ComputePipelineDescriptor {
                label: Some(entry),
                layout: None,
                module: &module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            };
            self.handle.create_compute_pipeline(&descriptor)
        })
    }

    /// The bind group of a kernel: its buffers by binding number.
    pub(crate) fn bind(&self, pipeline: &ComputePipeline, buffers: &[(u32, &Buffer)]) -> BindGroup {
        let entries = buffers.iter().map(|&(binding, buffer)| BindGroupEntry {
            binding,
            resource: buffer.as_entire_binding(),
        });
        self.handle.create_bind_group(&BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries.collect::<Vec<_>>(),
        })
    }

    /// The result of `make`, unless the GPU reports an error.
    pub(crate) async fn checked<T>(&self, make: impl FnOnce() -> T) -> Result<T, GpuError> {
        let refused = self.handle.push_error_scope(ErrorFilter::Validation);
        let full = self.handle.push_error_scope(ErrorFilter::OutOfMemory);
        let broken = self.handle.push_error_scope(ErrorFilter::Internal);
        let made = make();
        // Error scopes are a stack: the last one opened is closed first.
        let [broken, full, refused] = [broken.pop().await, full.pop().await, refused.pop().await];
        if let Some(error) = full {
            return Err(GpuError::Memory(error.to_string()));
        }
        if let Some(error) = broken.or(refused) {
            return Err(GpuError::Refused(error.to_string()));
        }
        self.sound().map(|()| made)
    }

    /// An error if the GPU has reported one.
    pub(crate) fn sound(&self) -> Result<(), GpuError> {
        match self.fault.get() {
            Some(fault) => Err(GpuError::Lost(fault.clone())),
            None => Ok(()),
        }
    }
}
