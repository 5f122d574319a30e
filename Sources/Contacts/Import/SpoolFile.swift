import Core

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file in the spool, by descriptor: closed when the last reference goes.
///
/// Reads and writes go to the page cache in blocks of 256 KiB: short enough to be made where they are needed.
final class SpoolFile {
    static let block: Int = 256 * 1024
    private let descriptor: Int32
    let path: String

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Makes a file that only this process's user may read; people's addresses are in it.
    static func create(_ path: String) throws(SpoolError) -> SpoolFile {
        let descriptor: Int32 = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SpoolError(action: "create", code: errno) }
        return SpoolFile(descriptor, path)
    }

    static func openForReading(_ path: String, at offset: Int = 0) throws(SpoolError) -> SpoolFile {
        let descriptor: Int32 = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SpoolError(action: "open", code: errno) }
        guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
            let code: Int32 = errno
            close(descriptor)
            throw SpoolError(action: "seek in", code: code)
        }
        return SpoolFile(descriptor, path)
    }

    static func makeDirectory(_ path: String) throws(SpoolError) {
        var parent: String = path
        while parent.count > 1, parent.hasSuffix("/") { parent.removeLast() }
        if mkdir(parent, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = parent.lastIndex(of: "/"), slash > parent.startIndex else {
            throw SpoolError(action: "make the folder of", code: errno)
        }
        try makeDirectory(String(parent[..<slash]))
        guard mkdir(parent, 0o700) == 0 || errno == EEXIST else {
            throw SpoolError(action: "make the folder of", code: errno)
        }
    }

    static func remove(_ path: String) {
        unlink(path)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SpoolError) {
        var done: Int = 0
        while done < bytes.count {
            let count: Int = systemWrite(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw SpoolError(action: "write", code: errno)
            }
            done += count
        }
    }

    func write(_ bytes: [UInt8]) throws(SpoolError) {
        var failure: SpoolError?
        bytes.withUnsafeBytes { pointer in
            do throws(SpoolError) { try write(pointer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Forces what was written to the disk: an answered upload is a stored upload.
    func flush() throws(SpoolError) {
        guard fsync(descriptor) == 0 else { throw SpoolError(action: "store", code: errno) }
    }
}

extension SpoolFile: ByteSource {
    func read(into buffer: inout [UInt8]) throws -> Bool {
        try withUnsafeTemporaryAllocation(byteCount: Self.block, alignment: 16) { block in
            var count: Int
            repeat { count = systemRead(descriptor, block.baseAddress!, block.count) } while count < 0 && errno == EINTR
            guard count >= 0 else { throw SpoolError(action: "read", code: errno) }
            buffer.append(contentsOf: UnsafeRawBufferPointer(rebasing: block[..<count]))
            return count > 0
        }
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}

/// The disk refused. Names the deed and the system's error number, never a path.
struct SpoolError: Error, CustomStringConvertible {
    let action: String
    let code: Int32

    var description: String { "could not \(action) a spooled file: \(String(cString: strerror(code)))" }
}

/// Bytes that are in memory already: previews and tests.
final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private let block: Int
    private var position: Int = 0

    init(_ bytes: [UInt8], block: Int = 64 * 1024) {
        self.bytes = bytes
        self.block = block
    }

    func read(into buffer: inout [UInt8]) -> Bool {
        guard position < bytes.count else { return false }
        let end: Int = min(bytes.count, position + block)
        buffer.append(contentsOf: bytes[position..<end])
        position = end
        return true
    }
}
