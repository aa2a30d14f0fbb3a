use dragnet::boundary::bytemuck;

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[bytemuck(crate = "dragnet::boundary::bytemuck")]
#[repr(C)]
struct Text {
    start: *const u8,
    len: usize,
}

fn main() {}
