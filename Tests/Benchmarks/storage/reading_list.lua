-- POST of a new title and a new name, all at random: wrk … -- /reading-list book_id reader_id
local path, keys
local headers = {["content-type"] = "application/json"}

function init(arguments)
   path, keys = arguments[1], {arguments[2], arguments[3]}
   math.randomseed(os.time())
end

function request()
   local book, reader, change = math.random(10000), math.random(10000), math.random(1000000)
   local body = string.format('{"%s":%d,"%s":%d,"title":"Book %d %d","name":"Reader %d %d"}',
      keys[1], book, keys[2], reader, book, change, reader, change)
   return wrk.format("POST", path, headers, body)
end
