import Glibc

/// Reads what is piped into a command.
package enum StandardInput {
    package struct Failure: Error, CustomStringConvertible {
        let code: Int32
        package var description: String { "Standard input cannot be read (error \(code))." }
    }

    /// Everything up to a limit; the rest is taken and thrown away, so that whoever writes it does not fail.
    /// - Parameter limit: bytes.
    package static func read(limit: Int) throws(Failure) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count: Int = chunk.withUnsafeMutableBytes { Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(code: errno)
            }
            if count == 0 { return content }
            content += chunk[..<min(count, limit - content.count)]
        }
    }
}
