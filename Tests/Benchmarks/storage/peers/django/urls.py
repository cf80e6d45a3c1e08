import json

from asgiref.sync import async_to_sync, sync_to_async
from data import models
from django.db import transaction
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


async def get_book(request, id):
    book = await models.Book.objects.prefetch_related("authors").aget(id=id)
    authors = [{"name": author.name} for author in book.authors.all()]
    return JsonResponse({"id": book.id, "title": book.title, "authors": authors})


async def update_title(book, title):
    book.title = title
    await book.asave()


async def update_name(reader, name):
    reader.name = name
    await reader.asave()


# Django's transactions are synchronous: asynchronous code within one goes through a thread and back.
@sync_to_async(thread_sensitive=True)
@transaction.atomic
def update(book, reader, title, name):
    async_to_sync(update_title)(book, title)
    async_to_sync(update_name)(reader, name)


@csrf_exempt
async def reading_list(request):
    given = json.loads(request.body)
    book = await models.Book.objects.aget(id=given["book_id"])
    reader = await models.Reader.objects.aget(id=given["reader_id"])
    await update(book=book, reader=reader, title=given["title"], name=given["name"])
    return JsonResponse({"ok": True})


urlpatterns = [path("books/<int:id>", get_book), path("reading-list", reading_list)]
