import CLibPQ

extension Wire {
    func sendSync() throws(Interruption) {
        guard PQpipelineSync(handle) == 1 else { throw .lost(lossReason) }
    }

    /// A statement without parameters that is not worth preparing. The text ends with a zero byte.
    func send(unprepared text: [UInt8]) throws(Interruption) {
        let status: Int32 = text.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                PQsendQueryParams(handle, characters.baseAddress, 0, nil, nil, nil, nil, 1)
            }
        }
        if status != 1 { throw .lost(lossReason) }
    }

    func send(prepare name: String, _ statement: Statement) throws(Interruption) {
        let types: [Oid] = statement.sql.binds.map(\.type.oid)
        let status: Int32 = statement.text.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                PQsendPrepare(handle, name, characters.baseAddress, Int32(types.count), types)
            }
        }
        if status != 1 { throw .lost(lossReason) }
    }

    func send(execute name: String, _ sql: SQL) throws(Interruption) {
        let status: Int32 = withParameters(of: sql) { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
        }
        if status != 1 { throw .lost(lossReason) }
    }

    /// A statement that is not prepared, with its parameters.
    func send(direct statement: Statement) throws(Interruption) {
        let types: [Oid] = statement.sql.binds.map(\.type.oid)
        let text: [UInt8] = statement.text
        let status: Int32 = withParameters(of: statement.sql) { count, values, lengths, formats in
            text.withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    PQsendQueryParams(handle, characters.baseAddress, count, types, values, lengths, formats, 1)
                }
            }
        }
        if status != 1 { throw .lost(lossReason) }
    }

    private typealias Parameters = (
        Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
    ) -> Int32

    /// Lays the bound values out as libpq wants them; all are binary.
    private func withParameters(of sql: SQL, _ body: Parameters) -> Int32 {
        let count: Int = sql.binds.count
        if count == 0 { return body(0, nil, nil, nil) }
        // An empty value is still a value: libpq wants a pointer that is not null.
        let bytes: [UInt8] = sql.values.isEmpty ? [0] : sql.values
        return bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            var pointers: [UnsafePointer<CChar>?] = []
            var lengths: [Int32] = []
            pointers.reserveCapacity(count)
            lengths.reserveCapacity(count)
            for bind in sql.binds {
                pointers.append(bind.length == nil ? nil : base?.advanced(by: bind.start))
                lengths.append(Int32(clamping: bind.length ?? 0))
            }
            return body(Int32(clamping: count), pointers, lengths, [Int32](repeating: 1, count: count))
        }
    }
}
