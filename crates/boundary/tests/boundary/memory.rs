//! What C allocated is given back to C, once, whatever happens.

use std::ffi::{c_char, c_void};
use std::ptr;

use dragnet_boundary::{Builder, CBuffer, CMemoryError, COwned, OnPanic, Release};

use super::c::{Counted, alive, allocate};
use super::support::panic_of;

/// An object as a C library hides it.
#[repr(C)]
struct Opaque {
    _hidden: [u8; 0],
}

type Object = COwned<Opaque, Counted>;

fn object(size: usize) -> Result<Object, CMemoryError> {
    // SAFETY: it is from the allocator that `Counted` frees with, and no one else's.
    unsafe { Object::from_raw(allocate(size).cast()) }
}

fn numbers(values: &[u32]) -> CBuffer<u32, Counted> {
    let pointer = allocate(size_of_val(values).max(1)).cast::<u32>();
    // SAFETY: there is place for the values, which are written before the buffer is read; it is
    // freed by nobody else.
    unsafe {
        ptr::copy_nonoverlapping(values.as_ptr(), pointer, values.len());
        CBuffer::from_raw(pointer, values.len()).unwrap()
    }
}

#[test]
fn objects_and_buffers_are_freed_once_when_they_are_dropped() {
    let objects: Vec<Object> = (1..=10).map(|size| object(size).unwrap()).collect();
    let mut buffer = numbers(&[1, 2, 3]);
    assert_eq!(alive(), 11);
    buffer[1] += 5;
    buffer.sort_by(|a, b| b.cmp(a));
    assert_eq!(buffer, [7, 3, 1]);
    assert_eq!(format!("{buffer:?}"), "[7, 3, 1]");
    let empty = numbers(&[]);
    assert!(empty.is_empty());
    drop((objects, empty));
    assert_eq!(alive(), 1);
    drop(buffer);
    assert_eq!(alive(), 0);
}

#[test]
fn null_is_an_error_and_nothing_is_freed() {
    // SAFETY: a null pointer is not taken over.
    unsafe {
        assert_eq!(Object::from_raw(ptr::null_mut()).unwrap_err(), CMemoryError::Null);
        for len in [0, 1, usize::MAX] {
            let buffer = CBuffer::<u32, Counted>::from_raw(ptr::null_mut(), len);
            assert_eq!(buffer.unwrap_err(), CMemoryError::Null);
        }
    }
}

/// Frees an allocation by the address of its second byte, which is not aligned.
enum Shifted {}

// SAFETY: undoes what the test below does to what `Counted` frees.
unsafe impl Release<u32> for Shifted {
    unsafe fn release(pointer: ptr::NonNull<u32>) {
        // SAFETY: as the caller promises; the pointer was made one byte larger.
        unsafe { Counted::release(pointer.cast::<u8>().sub(1)) }
    }
}

#[test]
fn a_buffer_that_can_not_be_a_slice_is_an_error_and_is_freed() {
    // SAFETY: `Shifted` frees what is shifted, and nothing is read of what is not aligned.
    let unaligned =
        unsafe { CBuffer::<u32, Shifted>::from_raw(allocate(9).cast::<u8>().add(1).cast(), 2) };
    assert_eq!(unaligned.unwrap_err(), CMemoryError::Unaligned);
    for len in [usize::MAX, usize::MAX / 4, isize::MAX as usize / 4 + 1] {
        // SAFETY: it is an error that is wanted, which reads nothing.
        let long = unsafe { CBuffer::<u32, Counted>::from_raw(allocate(4).cast(), len) };
        assert_eq!(long.unwrap_err(), CMemoryError::TooLong);
    }
    assert_eq!(alive(), 0);
}

#[test]
fn everything_is_freed_once_when_the_nth_step_fails_or_panics() {
    /// Allocates as a library with several steps does, and fails or panics before one of them.
    fn steps(fail: usize, panics: bool) -> Result<(Object, CBuffer<u32, Counted>), CMemoryError> {
        let check = |step| match fail == step {
            true if panics => panic!("step {step}"),
            true => Err(CMemoryError::Null),
            false => Ok(()),
        };
        check(0)?;
        let first = object(8)?;
        check(1)?;
        let scratch = numbers(&[0; 9]);
        check(2)?;
        let buffer = numbers(&scratch);
        check(3)?;
        Ok((first, buffer))
    }
    for step in 0..4 {
        assert_eq!(steps(step, false).unwrap_err(), CMemoryError::Null);
        assert_eq!(alive(), 0, "failed at step {step}");
        assert_eq!(panic_of(|| steps(step, true)), format!("step {step}"));
        assert_eq!(alive(), 0, "panicked at step {step}");
    }
    let all = steps(4, false).unwrap();
    assert_eq!(alive(), 2);
    drop(all);
    assert_eq!(alive(), 0);
}

#[test]
fn what_c_takes_over_is_not_freed_here() {
    let raw = object(1).unwrap().into_raw();
    assert_eq!(alive(), 1);
    // SAFETY: it was let go of above.
    drop(unsafe { Object::from_raw(raw) });
    assert_eq!(alive(), 0);
}

#[test]
fn a_text_of_c_is_read_in_place() {
    let text = c"no such table".to_bytes_with_nul();
    let pointer = allocate(text.len());
    // SAFETY: there is place for the text, which ends with a NUL.
    let owned = unsafe {
        ptr::copy_nonoverlapping(text.as_ptr().cast::<c_void>(), pointer, text.len());
        COwned::<c_char, Counted>::from_raw(pointer.cast()).unwrap()
    };
    // SAFETY: as above; nothing writes to it.
    assert_eq!(unsafe { owned.as_c_str() }, c"no such table");
    assert_eq!(owned.as_ptr().cast(), pointer);
    drop(owned);
    assert_eq!(alive(), 0);
}

#[test]
fn an_owner_frees_what_its_thread_allocated_also_after_panics() {
    let owner = Builder::new("memory")
        .on_panic(OnPanic::Rebuild)
        .owner(|| Ok::<_, CMemoryError>((object(3)?, numbers(&[1, 2]))))
        .unwrap();
    assert_eq!(owner.call(|_| alive()).unwrap(), 2);
    panic_of(|| {
        owner.call(|(_, buffer)| {
            let _more = numbers(buffer);
            assert_eq!(alive(), 0, "three are alive");
        })
    });
    // What the panic left was freed, and made again.
    assert_eq!(owner.call(|(_, buffer)| (alive(), buffer.len())).unwrap(), (2, 2));
    let (send, receive) = std::sync::mpsc::channel();
    owner.call(move |_| END.with(|end| end.replace(Some(AtEnd(send))))).unwrap();
    drop(owner);
    assert_eq!(receive.recv().unwrap(), 0);
}

/// Tells at the end of a thread what is alive there.
struct AtEnd(std::sync::mpsc::Sender<usize>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let _ = self.0.send(alive());
    }
}

thread_local! {
    static END: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
}
