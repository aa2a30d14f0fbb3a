//! The trait of plain data that can be passed to C and back, and assertions on its layout.

use bytemuck::{AnyBitPattern, NoUninit};

/// Plain data that can be passed to C and back: it has no pointers and no padding, and any bytes
/// are a valid value.
///
/// So Rust can read whatever bytes C wrote, and never passes uninitialized bytes or addresses to C.
/// The trait is implemented for every type that is [`AnyBitPattern`] and [`NoUninit`]; the derives
/// of [`bytemuck`] prove both at compile time. Use [`assert_layout!`](crate::assert_layout) to
/// check that C and Rust agree on the layout.
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
/// fn pass_to_c<T: Flat>(values: &[T]) -> usize {
///     bytemuck::cast_slice::<T, u8>(values).len()
/// }
/// assert_eq!(pass_to_c(&[Span { start: 0, len: 1 }]), 8);
/// ```
///
/// # Types that are not flat
///
/// A reference:
///
/// ```compile_fail,E0277
/// # fn pass_to_c<T: dragnet_boundary::Flat>(values: &[T]) {}
/// pass_to_c(&["text"]);
/// ```
///
/// A raw pointer, an atomic pointer or a function pointer:
///
/// ```compile_fail,E0277
/// # fn pass_to_c<T: dragnet_boundary::Flat>(values: &[T]) {}
/// pass_to_c(&[std::ptr::null::<u8>()]);
/// ```
///
/// ```compile_fail,E0277
/// # fn pass_to_c<T: dragnet_boundary::Flat>(values: &[T]) {}
/// pass_to_c(&[std::sync::atomic::AtomicPtr::<u8>::default()]);
/// ```
///
/// ```compile_fail,E0277
/// # fn pass_to_c<T: dragnet_boundary::Flat>(values: &[T]) {}
/// fn callback() {}
/// pass_to_c(&[callback as fn()]);
/// ```
///
/// A struct with a pointer in it:
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
/// A struct with padding, whose bytes are uninitialized:
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
/// A `bool`, a `char` or an enum, which have invalid bit patterns:
///
/// ```compile_fail,E0277
/// # fn pass_to_c<T: dragnet_boundary::Flat>(values: &[T]) {}
/// pass_to_c(&[true]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be passed to C",
    note = "a flat type has no pointers, no padding and no invalid bit patterns: derive \
            `bytemuck::Pod`, or `AnyBitPattern` and `NoUninit`"
)]
pub trait Flat: AnyBitPattern + NoUninit {}

impl<T: AnyBitPattern + NoUninit> Flat for T {}

/// Fails the build unless a type is [`Flat`](crate::Flat) and has the given size, alignment and
/// field offsets.
///
/// The numbers should be constants that the C side asserts too. All fields must be listed.
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
/// A wrong offset fails the build:
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
/// So does a wrong size:
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
/// So does a field that is not listed:
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
            const fn assert_flat<T: $crate::Flat>() {}
            assert_flat::<$Type>();
            assert!(::core::mem::size_of::<$Type>() == $size, "the size differs from C");
            assert!(::core::mem::align_of::<$Type>() == $align, "the alignment differs from C");
            $(assert!(
                ::core::mem::offset_of!($Type, $field) == $offset,
                concat!("the offset of `", stringify!($field), "` differs from C")
            );)*
            // Never called. It fails to compile if a field is missing from the list.
            #[allow(dead_code)]
            fn all_fields(value: $Type) {
                let $Type { $($field: _),* } = value;
            }
        };
    };
}
