//! Memory as the processor likes it: in large pages, and fetched before it is needed.
//!
//! A run of a million processes touches memory in random order. With pages of 4 KiB nearly every access also misses
//! the processor's cache of page addresses; Linux gives pages of 2 MiB where it is asked to.

/// Below this, a vector is left alone: it would hardly contain a whole large page.
const LARGE: usize = 4 << 20;

/// An empty vector with room for `capacity` items; a large one lies in large pages, as far as the system has any.
pub(crate) fn vec_with_capacity<T>(capacity: usize) -> Vec<T> {
    let items = Vec::with_capacity(capacity);
    if capacity.saturating_mul(size_of::<T>()) >= LARGE {
        advise(&items);
    }
    items
}

/// Asks for large pages behind all of a vector's memory.
#[cfg(target_os = "linux")]
fn advise<T>(items: &Vec<T>) {
    use rustix::mm::{Advice, madvise};
    let page = rustix::param::page_size();
    let start = items.as_ptr().cast_mut().cast::<core::ffi::c_void>();
    // Whole pages only: the first and the last may be shared with other memory of the allocator.
    let skip = start.align_offset(page);
    let len = (items.capacity() * size_of::<T>()).saturating_sub(skip) / page * page;
    // SAFETY: the range lies within memory that this vector owns, and the advice changes neither content nor
    // protection, only the size of the pages that the system uses for it.
    let advised = unsafe { madvise(start.wrapping_byte_add(skip), len, Advice::LinuxHugepage) };
    // Refused where the system was built without large pages: all goes on as before.
    let _ = advised;
}

#[cfg(not(target_os = "linux"))]
fn advise<T>(_: &Vec<T>) {}

/// Asks the processor to fetch an item's first cache lines.
#[inline]
pub(crate) fn prefetch<T>(item: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = std::ptr::from_ref(item).cast::<i8>();
        for line in 0..size_of::<T>().div_ceil(64).min(4) {
            // SAFETY: a prefetch never faults, and the address lies within the item.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line * 64)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_vectors_are_as_usual() {
        for capacity in [0, 10, LARGE / 8 - 1, LARGE / 8, LARGE] {
            let mut items: Vec<u64> = vec_with_capacity(capacity);
            assert!(items.is_empty() && items.capacity() >= capacity);
            items.extend(0..capacity as u64);
            assert!(items.iter().copied().eq(0..capacity as u64));
        }
        assert_eq!(vec_with_capacity::<()>(usize::MAX).len(), 0);
    }
}
