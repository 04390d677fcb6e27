//! Where tensors live and in which precision.

use crate::error::{Error, Result};
use tch::{Device, Kind};

/// The device called `name`: `cpu`, `cuda`, `cuda:N`, or `auto` (the first GPU, else the CPU).
///
/// libtorch sees a GPU only once `libtorch_cuda.so` is loaded, which the Python package does
/// when it is asked for one.
///
/// # Errors
/// [`Error::Device`] where a GPU is asked for and none is seen, [`Error::Option`] for another name.
pub fn parse(name: &str) -> Result<Device> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "auto" => return Ok(Device::cuda_if_available()),
        "cuda" => 0,
        _ => name
            .strip_prefix("cuda:")
            .and_then(|index| index.parse::<usize>().ok())
            .ok_or_else(|| Error::option("device", name, "must be cpu, cuda, cuda:N or auto"))?,
    };
    let seen = if tch::Cuda::is_available() {
        tch::Cuda::device_count()
    } else {
        0
    };
    if (index as i64) < seen {
        return Ok(Device::Cuda(index));
    }
    Err(Error::Device {
        device: name.to_owned(),
        reason: match seen {
            0 => {
                "libtorch sees no GPU; install torch's CUDA build and its driver, or use device=cpu"
                    .to_owned()
            }
            _ => format!("libtorch sees {seen} GPU(s)"),
        },
    })
}

/// `cpu` or `cuda:N`.
pub fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

/// Whether this processor multiplies bf16 in hardware; elsewhere bf16 is slower than f32 on it.
pub fn multiplies_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// The precision a model computes in. Embeddings are always handed out as f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats: the reference.
    F32,
    /// bfloat16 weights and activations, sums in f32.
    Bf16,
}

impl Dtype {
    /// The precision called `name`.
    ///
    /// # Errors
    /// [`Error::Option`] for a name other than `f32` and `bf16`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            _ => Err(Error::option("dtype", name, "must be f32 or bf16")),
        }
    }

    /// `f32` or `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// libtorch's name of it.
    pub fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::Float,
            Self::Bf16 => Kind::BFloat16,
        }
    }
}
