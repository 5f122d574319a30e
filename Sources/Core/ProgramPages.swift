#if os(Linux)
    import Glibc
    import FoundationEssentials
#endif

/// The part of memory that holds program text.
package enum ProgramPages {
    /// Gives back the pages of program text that are in memory. Starting reads a good part of the program that serving
    /// never needs again, and those pages would count as ours for as long as the process lives. Nothing is lost: text is
    /// never written, and what is needed again comes back from the system's cache of files.
    package static func giveBack() {
        #if os(Linux)
            guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return }
            for line in maps.split(separator: "\n") {
                guard let text = range(ofText: line) else { continue }
                madvise(UnsafeMutableRawPointer(bitPattern: text.lowerBound), text.count, MADV_DONTNEED)
            }
        #endif
    }

    /// The addresses of a line of `/proc/self/maps` (proc(5)) if a file is mapped there to be run and not to be written.
    static func range(ofText line: Substring) -> Range<UInt>? {
        let columns: [Substring] = line.split(separator: " ", maxSplits: 5)
        guard columns.count == 6, columns[1] == "r-xp", columns[5].contains("/") else { return nil }
        let ends: [Substring] = columns[0].split(separator: "-")
        guard ends.count == 2, let first = UInt(ends[0], radix: 16), let last = UInt(ends[1], radix: 16), first < last
        else { return nil }
        return first..<last
    }
}
