-- POST of a new title and a new name, all at random: wrk … -- /reading-list book_id reader_id
local headers = {["content-type"] = "application/json"}
local requests, last = {}, 0

-- Written beforehand: on the cores that are measured, whoever asks is to cost as little as pgbench does.
function init(arguments)
   local path, book_key, reader_key = arguments[1], arguments[2], arguments[3]
   math.randomseed(os.time())
   for number = 1, 20000 do
      local book, reader, change = math.random(10000), math.random(10000), math.random(1000000)
      local body = string.format('{"%s":%d,"%s":%d,"title":"Book %d %d","name":"Reader %d %d"}',
         book_key, book, reader_key, reader, book, change, reader, change)
      requests[number] = wrk.format("POST", path, headers, body)
   end
end

function request()
   last = last % #requests + 1
   return requests[last]
end
