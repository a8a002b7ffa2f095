from django.db.models.functions import Collate
from django.http import HttpResponse
from django_filters import rest_framework as filters
from rest_framework import generics, serializers
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.pagination import CursorPagination

from .models import Product


class ProductSerializer(serializers.ModelSerializer):
    class Meta:
        model = Product
        fields = ["id", "name", "description", "price", "stock", "owner", "created_at", "updated_at"]
        read_only_fields = ["owner"]


class ProductFilter(filters.FilterSet):
    name__icontains = filters.CharFilter(field_name="name_text", lookup_expr="icontains")

    class Meta:
        model = Product
        fields = {
            "name": ["exact"],
            "price": ["exact", "lt", "lte", "gt", "gte"],
            "stock": ["exact", "gte", "lte"],
        }


class ProductPagination(CursorPagination):
    page_size = 25
    ordering = "-id"


class ProductList(generics.ListCreateAPIView):
    # The column sorts by code point; in the default collation Latchkey's trigram index serves Django's searches too.
    queryset = Product.objects.alias(name_text=Collate("name", "default"))
    serializer_class = ProductSerializer
    pagination_class = ProductPagination
    filter_backends = [filters.DjangoFilterBackend, SearchFilter, OrderingFilter]
    filterset_class = ProductFilter
    search_fields = ["name_text", "description"]
    ordering_fields = ["name", "price", "created_at"]

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)


def healthz(request):
    return HttpResponse()
