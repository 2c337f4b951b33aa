//! Every maximum and minimum of the validator, with its unit and its reason. The defaults are the
//! marketplace's; tests and tools may pass others.

/// The limits of one verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Package and W-matrix together, decoded: the published "50 MB".
    pub total_bytes_max: u64,
    /// One safetensors header. 4096 tensors need about 200 KiB; the format itself allows 100 MB,
    /// which costs a parser seconds and a gigabyte.
    pub header_bytes_max: usize,
    /// Tensors of one blob: 128 layers with keys, values and scales are 512.
    pub tensors_max: usize,
    /// Axes of one tensor: no schema here has more than three.
    pub rank_max: usize,
    /// Length of one axis: the longest context of the models in the table.
    pub dimension_max: usize,
    /// One tensor name.
    pub name_bytes_max: usize,
    /// The JSON text of a chain's `steps`; it lives in the header and shares its cap.
    pub steps_bytes_max: usize,
    /// Inner rank of a factored W. Above it a full spectrum is no longer affordable.
    pub lora_rank_max: usize,
    /// Smaller side up to which all singular values are computed; about a second on one core.
    pub full_spectrum_dimension_max: usize,
    /// Measured (or, without anchors, declared) epsilon, inclusive.
    pub epsilon_max: f64,
    /// Declared and measured epsilon may differ by this much...
    pub epsilon_difference_max: f64,
    /// ...or by this fraction of the measured one, whichever is larger.
    pub epsilon_difference_fraction_max: f64,
    /// Distinct anchors below which a measurement is no evidence.
    pub anchors_min: usize,
    /// Error of the median anchor against a wrong row, in units of the anchors' spread. Below it a
    /// few rows, or copies of one row, decide the figure.
    pub null_control_min: f64,
    /// Largest singular value of a W that does anything.
    pub sigma_max_floor: f64,
    /// Condition number of a full-rank W from which it is refused.
    pub condition_max: f64,
    /// Condition number from which a 32 or 64 bit W is warned about.
    pub condition_warning: f64,
    /// The same for a 16 bit W, whose rounding alone costs four digits.
    pub condition_warning_half: f64,
    /// Effective rank of a W that is not declared low-rank, as a fraction of its smaller side.
    pub effective_rank_fraction_min: f64,
}

impl Limits {
    /// How far a claimed epsilon may lie from the measured one.
    #[must_use]
    pub fn epsilon_tolerance(&self, measured: f64) -> f64 {
        self.epsilon_difference_max
            .max(self.epsilon_difference_fraction_max * measured)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_bytes_max: 52_428_800,
            header_bytes_max: 256 * 1024,
            tensors_max: 4096,
            rank_max: 4,
            dimension_max: 131_072,
            name_bytes_max: 128,
            steps_bytes_max: 128 * 1024,
            lora_rank_max: 1536,
            full_spectrum_dimension_max: 1536,
            epsilon_max: 0.10,
            epsilon_difference_max: 0.005,
            epsilon_difference_fraction_max: 0.05,
            anchors_min: 16,
            null_control_min: 0.9,
            sigma_max_floor: 1e-6,
            condition_max: 1e8,
            condition_warning: 1e6,
            condition_warning_half: 1e4,
            effective_rank_fraction_min: 0.5,
        }
    }
}
