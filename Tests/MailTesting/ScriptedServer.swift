import Core
import Glibc

/// A server that says what a test tells it, each connection on a thread of its own.
package final class ScriptedServer: Sendable {
    package struct Connection: Sendable {
        package let socket: Int32

        /// False when the client has gone.
        @discardableResult
        package func say(_ text: String) -> Bool {
            let bytes: [UInt8] = Array("\(text)\r\n".utf8)
            return send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        }

        /// Reads up to a text; nil when the client has gone.
        package func hear(_ end: String = "\r\n") -> String? {
            var heard: [UInt8] = []
            var byte: UInt8 = 0
            while !heard.reversed().starts(with: Array(end.utf8).reversed()) {
                guard recv(socket, &byte, 1, 0) == 1 else { return nil }
                heard.append(byte)
            }
            return String(decoding: heard, as: UTF8.self)
        }

        /// Says nothing until the client goes away.
        package func sitStill() {
            while hear() != nil {}
        }

        /// Repeats a line ten times a second until the client goes away.
        package func goOn(_ text: String) {
            // POLLRDHUP, which Glibc's module does not name.
            var isGone = pollfd(fd: socket, events: 0x2000, revents: 0)
            while say(text), poll(&isGone, 1, 100) == 0 {}
        }

        /// Everything up to the dot of a message.
        package func takeMessage() {
            say("220 trouble.example ESMTP")
            guard hear() != nil, say("250 trouble.example"), hear() != nil, say("250 sender ok"), hear() != nil,
                say("250 recipient ok"), hear() != nil, say("354 go on")
            else { return }
            _ = hear("\r\n.\r\n")
        }
    }

    private let listener: LoopbackListener
    package var port: Int { listener.port }

    package init(_ conversation: @escaping @Sendable (Connection) -> Void) throws {
        listener = try LoopbackListener()
        listener.serve(name: "scripted") { socket in
            OwnThread.launch(name: "scripted") {
                conversation(Connection(socket: socket))
                shutdown(socket, Int32(SHUT_RDWR))
                close(socket)
            }
        }
    }

    deinit {
        listener.stop()
    }
}
