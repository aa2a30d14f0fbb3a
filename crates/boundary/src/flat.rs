//! Types that may cross to C and back.

use bytemuck::{AnyBitPattern, NoUninit};

/// Plain data that may cross to C and back: no pointers, no padding, and any bytes are a valid
/// value.
///
/// So whatever C wrote can be read, and no byte that C reads is uninitialized or means anything
/// only in Rust. It is there for every type that [`bytemuck`] knows to be so, which its derives
/// prove while they are compiled. Add [`assert_layout!`](crate::assert_layout) so that C and Rust
/// mean the same bytes.
///
/// ```
/// use dragnet_boundary::{Flat, bytemuck};
///
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[bytemuck(crate = "dragnet_boundary::bytemuck")]
/// #[repr(C)]
/// struct Span {
///     start: u32,
///     len: u32,
/// }
///
/// dragnet_boundary::assert_layout!(Span, size 8, align 4, { start: 0, len: 4 });
///
/// fn crosses<T: Flat>(values: &[T]) -> usize {
///     bytemuck::cast_slice::<T, u8>(values).len()
/// }
/// assert_eq!(crosses(&[Span { start: 0, len: 1 }]), 8);
/// ```
///
/// What has a pointer is not flat, be it a reference,
///
/// ```compile_fail,E0277
/// # fn crosses<T: dragnet_boundary::Flat>(values: &[T]) {}
/// crosses(&["text"]);
/// ```
///
/// a raw pointer, a slot for one, or a function:
///
/// ```compile_fail,E0277
/// # fn crosses<T: dragnet_boundary::Flat>(values: &[T]) {}
/// crosses(&[std::ptr::null::<u8>()]);
/// ```
///
/// ```compile_fail,E0277
/// # fn crosses<T: dragnet_boundary::Flat>(values: &[T]) {}
/// crosses(&[std::sync::atomic::AtomicPtr::<u8>::default()]);
/// ```
///
/// ```compile_fail,E0277
/// # fn crosses<T: dragnet_boundary::Flat>(values: &[T]) {}
/// fn callback() {}
/// crosses(&[callback as fn()]);
/// ```
///
/// nor what has one inside:
///
/// ```compile_fail,E0277
/// # use dragnet_boundary::bytemuck;
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[bytemuck(crate = "dragnet_boundary::bytemuck")]
/// #[repr(C)]
/// struct Text {
///     start: *const u8,
///     len: usize,
/// }
/// ```
///
/// Padding is bytes that nobody wrote:
///
/// ```compile_fail,E0080
/// # use dragnet_boundary::bytemuck;
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[bytemuck(crate = "dragnet_boundary::bytemuck")]
/// #[repr(C)]
/// struct Padded {
///     byte: u8,
///     word: u32,
/// }
/// ```
///
/// And there are bytes that no `bool`, `char` or enum has:
///
/// ```compile_fail,E0277
/// # fn crosses<T: dragnet_boundary::Flat>(values: &[T]) {}
/// crosses(&[true]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not cross to C",
    note = "what crosses has no pointers, no padding, and no bytes that are not a value: derive \
            `bytemuck::Pod`, or `AnyBitPattern` and `NoUninit`"
)]
pub trait Flat: AnyBitPattern + NoUninit {}

impl<T: AnyBitPattern + NoUninit> Flat for T {}

/// Fails the build unless a type is [`Flat`](crate::Flat) and has the size, the alignment
/// and the offsets of its fields that C says it has.
///
/// The numbers are constants, best those that the C side asserts too. All fields must be named:
/// those that are not would be neither in C's type nor checked.
///
/// ```
/// # use dragnet_boundary::bytemuck;
/// # #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// # #[bytemuck(crate = "dragnet_boundary::bytemuck")]
/// # #[repr(C)]
/// # struct Span { start: u32, len: u32 }
/// dragnet_boundary::assert_layout!(Span, size 8, align 4, { start: 0, len: 4 });
/// ```
///
/// ```compile_fail,E0080
/// # use dragnet_boundary::bytemuck;
/// # #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// # #[bytemuck(crate = "dragnet_boundary::bytemuck")]
/// # #[repr(C)]
/// # struct Span { start: u32, len: u32 }
/// dragnet_boundary::assert_layout!(Span, size 8, align 4, { start: 4, len: 0 });
/// ```
///
/// ```compile_fail,E0080
/// # use dragnet_boundary::bytemuck;
/// # #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// # #[bytemuck(crate = "dragnet_boundary::bytemuck")]
/// # #[repr(C)]
/// # struct Span { start: u32, len: u32 }
/// dragnet_boundary::assert_layout!(Span, size 16, align 4, { start: 0, len: 4 });
/// ```
///
/// ```compile_fail
/// # use dragnet_boundary::bytemuck;
/// # #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// # #[bytemuck(crate = "dragnet_boundary::bytemuck")]
/// # #[repr(C)]
/// # struct Span { start: u32, len: u32 }
/// dragnet_boundary::assert_layout!(Span, size 8, align 4, { start: 0 });
/// ```
#[macro_export]
macro_rules! assert_layout {
    (
        $Type:ident, size $size:expr, align $align:expr,
        { $($field:ident: $offset:expr),* $(,)? }
    ) => {
        const _: () = {
            const fn flat<T: $crate::Flat>() {}
            flat::<$Type>();
            assert!(::core::mem::size_of::<$Type>() == $size, "the size is not that of C");
            assert!(::core::mem::align_of::<$Type>() == $align, "the alignment is not that of C");
            $(assert!(
                ::core::mem::offset_of!($Type, $field) == $offset,
                concat!("the offset of `", stringify!($field), "` is not that of C")
            );)*
            // Not called: it does not compile unless these are all fields.
            #[allow(dead_code)]
            fn all_fields(value: $Type) {
                let $Type { $($field: _),* } = value;
            }
        };
    };
}
