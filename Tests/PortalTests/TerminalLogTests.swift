import Logging
import Synchronization
import Testing

@testable import Portal

@Suite("Log lines in a terminal")
struct TerminalLogTests {
    private func lines(_ body: (Logger) -> Void) -> [String] {
        let written = WrittenLines()
        body(Logger(label: "test") { _ in TerminalLogHandler(level: .info) { written.add($0) } })
        return written.all
    }

    @Test("Information is its message with what belongs to it; what is worse says so first")
    func levels() {
        let lines = lines { logger in
            logger.info("listening", metadata: ["port": "5178", "address": "127.0.0.1"])
            logger.warning("no answer")
            logger.debug("not asked for")
        }
        #expect(lines.count == 2)
        #expect(lines.first?.dropFirst(8) == "  listening  address=127.0.0.1  port=5178\n")
        #expect(lines.last?.dropFirst(8) == "  warning: no answer\n")
    }

    @Test("Control characters from outside neither begin a line nor reach the terminal")
    func controls() {
        let lines = lines { $0.info("path /a\u{1B}[2J\nforged\u{9B}31m", metadata: ["agent": "x\r\ny"]) }
        #expect(lines.first?.dropFirst(8) == "  path /a [2J forged 31m  agent=x  y\n")
    }
}

private final class WrittenLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
