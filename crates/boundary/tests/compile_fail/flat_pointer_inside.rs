use dragnet_boundary::bytemuck;

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[bytemuck(crate = "dragnet_boundary::bytemuck")]
#[repr(C)]
struct Text {
    start: *const u8,
    len: usize,
}

fn main() {}
