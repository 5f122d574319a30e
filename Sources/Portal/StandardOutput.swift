import Glibc

/// `write(2)` to standard output until everything is out; lines shorter than a pipe's buffer are not mixed.
package enum StandardOutput {
    package static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let written = Glibc.write(
                    STDOUT_FILENO, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                guard written > 0 || errno == EINTR else { return }
                offset += max(0, written)
            }
        }
    }
}
