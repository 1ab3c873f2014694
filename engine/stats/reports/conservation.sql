-- title en: Conservation of contacts
-- title zh: 联络守恒
-- formula: arrived = scheduled + waiting + offered + connecting + engaged + served + abandoned + blocked + overflowed + withdrawn; missing must be 0
-- source: view conservation; arrived is counted by events, the states by rows
FROM conservation;
