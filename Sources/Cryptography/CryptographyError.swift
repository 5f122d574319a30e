import COpenSSL

/// OpenSSL refused something that should work. Never caused by a wrong password, tag or signature: those are answers.
package struct CryptographyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was attempted, for the log.
    package let operation: String
    /// OpenSSL's own reasons, oldest first. They name functions and causes, never keys or data.
    package let reasons: [String]

    package var description: String {
        reasons.isEmpty ? operation : "\(operation): \(reasons.joined(separator: "; "))"
    }

    /// Empties this thread's error queue into an error, so that a later call does not see an old reason.
    static func drained(_ operation: String) -> CryptographyError {
        CryptographyError(operation: operation, reasons: drainReasons())
    }

    /// Forgets this thread's queued errors after an expected refusal, such as a signature that does not fit.
    static func discardReasons() {
        ERR_clear_error()
    }

    private static func drainReasons() -> [String] {
        var reasons: [String] = []
        while reasons.count < 16 {
            let code: UInt = ERR_get_error()
            guard code != 0 else { break }
            let text: [UInt8] = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
                buffer.withMemoryRebound(to: CChar.self) { ERR_error_string_n(code, $0.baseAddress, 256) }
                count = buffer.firstIndex(of: 0) ?? 0
            }
            reasons.append(String(decoding: text, as: UTF8.self))
        }
        ERR_clear_error()
        return reasons
    }
}
